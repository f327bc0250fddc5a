import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPinnedFetch } from '../../../src/checks/fetch-pinned.js';
import { createTestCa, type TestCertificate } from '../../helpers/test-ca.js';

const host = 'mta-sts.example.org';
let authority: ReturnType<typeof createTestCa>;
let good: TestCertificate;
let wrongName: TestCertificate;
const servers: Server[] = [];

beforeAll(() => {
  authority = createTestCa();
  good = authority.issue(host);
  wrongName = authority.issue('other.example.org');
});
afterAll(() => authority.close());
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(handler: RequestListener, certificate = good): Promise<number> {
  const server = createServer(certificate, handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
const request = (addresses = ['127.0.0.1'], maxBytes = 1000) => ({
  url: new URL(`https://${host}/.well-known/mta-sts.txt`),
  addresses,
  maxBytes,
  timeoutMs: 2000,
});

describe('createPinnedFetch', () => {
  it('asks the given address for the name, which never gets resolved', async () => {
    const seen: string[] = [];
    const port = await serve((req, res) => {
      seen.push(`${req.headers.host} ${req.url}`);
      res.setHeader('content-type', 'Text/Plain; charset=utf-8');
      res.end('version: STSv1\n');
    });
    const fetch = createPinnedFetch({ ca: authority.ca, port });
    expect(await fetch(request())).toEqual({
      ok: true,
      status: 200,
      contentType: 'text/plain',
      body: 'version: STSv1\n',
      tooLong: false,
      certificate: { validFrom: expect.any(Number), validTo: expect.any(Number) },
    });
    expect(seen).toEqual([`${host} /.well-known/mta-sts.txt`]);
  });
  it('takes a private authority when told so, and never a wrong name', async () => {
    const port = await serve((_, res) => res.end('x'));
    expect(await createPinnedFetch({ port })(request())).toMatchObject({ ok: false, reason: 'certificate' });
    expect(await createPinnedFetch({ port, privateCa: true })(request())).toMatchObject({
      ok: true,
      body: 'x',
    });
    const other = await serve((_, res) => res.end('x'), wrongName);
    expect(await createPinnedFetch({ port: other, privateCa: true })(request())).toMatchObject({
      ok: false,
      reason: 'certificate',
    });
  });
  it('tells a bad certificate from a dead network', async () => {
    const port = await serve((_, res) => res.end('x'), wrongName);
    expect(await createPinnedFetch({ ca: authority.ca, port })(request())).toMatchObject({
      ok: false,
      reason: 'certificate',
    });
    const trusted = await serve((_, res) => res.end('x'));
    expect(await createPinnedFetch({ port: trusted })(request())).toMatchObject({
      ok: false,
      reason: 'certificate',
    });
    expect(await createPinnedFetch({ port: 1 })(request())).toMatchObject({ ok: false, reason: 'refused' });
    expect(await createPinnedFetch()(request([]))).toMatchObject({ ok: false, reason: 'network' });
  });
  it('follows no redirect', async () => {
    let asked = 0;
    const port = await serve((_, res) => {
      asked += 1;
      res.writeHead(302, { location: 'https://127.0.0.1/other' });
      res.end();
    });
    expect(await createPinnedFetch({ ca: authority.ca, port })(request())).toMatchObject({
      ok: true,
      status: 302,
    });
    expect(asked).toBe(1);
  });
  it('stops reading at the limit', async () => {
    const port = await serve((_, res) => {
      const more = () => res.write('x'.repeat(64), () => !res.destroyed && setImmediate(more));
      more();
    });
    const response = await createPinnedFetch({ ca: authority.ca, port })(request(['127.0.0.1'], 500));
    expect(response).toMatchObject({ ok: true, tooLong: true });
    expect(response.ok && response.body.length).toBe(500);
  });
  it('gives up on silence', async () => {
    const port = await serve(() => undefined);
    const fetch = createPinnedFetch({ ca: authority.ca, port });
    expect(await fetch({ ...request(), timeoutMs: 200 })).toMatchObject({ ok: false, reason: 'timeout' });
  });
  it('tries the next address when one is dead', async () => {
    const port = await serve((_, res) => res.end('x'));
    expect(
      await createPinnedFetch({ ca: authority.ca, port })(request(['127.0.0.9', '127.0.0.1'])),
    ).toMatchObject({ ok: true });
  });
  it('rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    const port = await serve(() => controller.abort(new Error('enough')));
    const fetch = createPinnedFetch({ ca: authority.ca, port, signal: controller.signal });
    await expect(fetch(request())).rejects.toThrow('enough');
  });
});
