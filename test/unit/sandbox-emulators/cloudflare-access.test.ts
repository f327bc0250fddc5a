import { describe, expect, it } from 'vitest';
import { editToken, makeTestApi, readToken, zoneId } from './api-client.js';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const record = { type: 'A', name: 'x', content: '198.51.100.1', ttl: 300 };

describe('access to the Cloudflare emulator', () => {
  it.each([
    ['no credentials', { authorization: undefined as unknown as string }, 400, 9106],
    ['a token of the wrong form', { authorization: 'Bearer short' }, 400, 6003],
    ['another scheme', { authorization: `Token ${editToken}` }, 400, 6003],
    ['a global key without its address', { 'x-auth-key': 'k' }, 400, 6003],
    ['the address of a global key', { 'x-auth-email': 'a@example.test' }, 400, 6003],
    ['a global key', { 'x-auth-key': 'k', 'x-auth-email': 'a@example.test' }, 400, 6003],
    ['an unknown token', bearer('unknown-token-0123456789abcdefghijklm'), 403, 9109],
  ])('refuses %s', async (_, headers, status, code) => {
    const answer = await makeTestApi().send('GET', '/zones', undefined, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.errors[0].code).toBe(code);
  });

  it('verifies a token, and tells an unknown one with 401', async () => {
    const { send } = makeTestApi();
    const good = await send('GET', '/user/tokens/verify');
    expect(good.body.result).toMatchObject({ status: 'active' });
    expect(good.body.messages).toMatchObject([{ code: 10000 }]);
    const bad = await send(
      'GET',
      '/user/tokens/verify',
      undefined,
      bearer('unknown-token-0123456789abcdefghijklm'),
    );
    expect([bad.status, bad.body.errors[0].code]).toEqual([401, 1000]);
  });

  it('does not verify a token of an account on the path for users', async () => {
    const { emulator, send } = makeTestApi();
    const value = 'account-token-0123456789abcdefghijklmn';
    emulator.addToken({ value, access: 'edit', zones: 'all', accountOwned: true });
    expect((await send('GET', '/user/tokens/verify', undefined, bearer(value))).status).toBe(401);
    expect((await send('GET', '/zones', undefined, bearer(value))).body.result).toHaveLength(1);
    const path = `/accounts/${'acc0'.repeat(8)}/tokens/verify`;
    expect((await send('GET', path, undefined, bearer(value))).status).toBe(200);
  });

  it('lets a read-only token read and answers its writes with 403', async () => {
    const { send } = makeTestApi();
    const path = `/zones/${zoneId}/dns_records`;
    expect((await send('GET', path, undefined, bearer(readToken))).status).toBe(200);
    const write = await send('POST', path, record, bearer(readToken));
    expect([write.status, write.body.errors[0]]).toEqual([
      403,
      { code: 10000, message: 'Authentication error' },
    ]);
  });

  it('hides zones that a token does not reach', async () => {
    const { emulator, send } = makeTestApi();
    const value = 'scoped-token-0123456789abcdefghijklmno';
    emulator.addToken({ value, access: 'edit', zones: ['other.test'] });
    expect((await send('GET', '/zones', undefined, bearer(value))).body.result).toEqual([]);
    expect((await send('GET', `/zones/${zoneId}`, undefined, bearer(value))).body.errors[0].code).toBe(9109);
    expect((await send('GET', `/zones/${zoneId}/dns_records`, undefined, bearer(value))).status).toBe(403);
  });

  it('lets a token expire after some calls, or at a moment', async () => {
    const { emulator, send } = makeTestApi();
    const value = 'brief-token-0123456789abcdefghijklmnop';
    emulator.addToken({ value, access: 'edit', zones: 'all', callsLeft: 2 });
    const statuses = [];
    for (let call = 0; call < 3; call++)
      statuses.push((await send('GET', '/zones', undefined, bearer(value))).status);
    expect(statuses).toEqual([200, 200, 403]);
    emulator.tokens.expire(editToken);
    expect((await send('GET', '/zones')).status).toBe(403);
  });

  it.each([
    ['GET', '/zone', 404, 7003],
    ['GET', '/zones/not-an-id', 404, 7003],
    ['GET', `/zones/${zoneId}/dns_record`, 404, 7003],
    ['DELETE', '/zones', 405, 10405],
    ['PUT', `/zones/${zoneId}/dns_records`, 405, 10405],
    ['GET', `/zones/${zoneId}/dns_records/batch`, 405, 10405],
  ])('answers %s %s with %d', async (method, path, status, code) => {
    const answer = await makeTestApi().send(method, path);
    expect([answer.status, answer.body.errors[0].code]).toEqual([status, code]);
  });

  it('answers a path outside the API with 404', async () => {
    const { emulator } = makeTestApi();
    const request = { method: 'GET', url: '/elsewhere', headers: {}, body: Buffer.alloc(0) };
    expect(await emulator.answer(request)).toMatchObject({ status: 404 });
  });

  it.each([
    ['another content type', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['broken JSON', '{"type":', { 'content-type': 'application/json' }],
    ['JSON that is no object', '[]', { 'content-type': 'application/json' }],
  ])('refuses a body of %s', async (_, body, headers) => {
    const answer = await makeTestApi().send('POST', `/zones/${zoneId}/dns_records`, body, headers);
    expect([answer.status, answer.body.errors[0].code]).toEqual([400, 9207]);
  });

  it('counts writes, accepted or not, and logs no token', async () => {
    const { emulator, records } = makeTestApi();
    await records('GET', '');
    await records('POST', '', record);
    await records('POST', '', { type: 'A' });
    expect(emulator.writeCount()).toBe(2);
    expect(emulator.callLog().map((call) => call.status)).toEqual([200, 200, 400]);
    expect(JSON.stringify(emulator.callLog())).not.toContain(editToken);
    emulator.clearCalls();
    expect(emulator.writeCount()).toBe(0);
  });
});

describe('misbehaviour of the Cloudflare emulator', () => {
  it('limits with 429 and Retry-After before doing anything', async () => {
    const { emulator, records } = makeTestApi();
    emulator.addFault({ method: 'POST', answer: 429, retryAfter: 30 });
    const limited = await records('POST', '', record);
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '30']);
    expect(emulator.records('example.test')).toEqual([]);
    expect((await records('POST', '', record)).status).toBe(200);
  });

  it('accepts a write and then fails, or cuts the connection', async () => {
    const { emulator, records } = makeTestApi();
    emulator.addFault({ method: 'POST', answer: 502, when: 'after' });
    emulator.addFault({ method: 'POST', answer: 'reset', when: 'after' });
    expect((await records('POST', '', record)).status).toBe(502);
    expect((await records('POST', '', { ...record, name: 'y' })).status).toBe(0);
    expect(emulator.records('example.test')).toHaveLength(2);
    expect(emulator.faults.remaining()).toBe(0);
  });

  it('fits a fault to method and path, after letting some pass', async () => {
    const { emulator, send } = makeTestApi();
    emulator.addFault({
      method: 'GET',
      path: '^/zones$',
      skip: 1,
      times: 2,
      answer: 500,
      code: 1,
      message: 'm',
    });
    const statuses = [];
    for (let call = 0; call < 4; call++) statuses.push((await send('GET', '/zones')).status);
    expect(statuses).toEqual([200, 500, 500, 200]);
    expect((await send('GET', `/zones/${zoneId}`)).status).toBe(200);
  });
});
