import { describe, expect, it } from 'vitest';
import { makeTestApi } from './api-client.js';

const a = (name: string, content = '198.51.100.1') => ({ type: 'A', name, content, ttl: 300 });

describe('batches of the Cloudflare emulator', () => {
  it('runs deletes, patches, puts and posts in that order, whatever the order of the body', async () => {
    const { records, served } = makeTestApi();
    const first = (await records('POST', '', a('one'))).body.result;
    const second = (await records('POST', '', a('two'))).body.result;
    const third = (await records('POST', '', a('three'))).body.result;
    const answer = await records('POST', '/batch', {
      posts: [{ type: 'CNAME', name: 'one', content: 'two.example.test', ttl: 300 }],
      puts: [{ id: third.id, ...a('three', '198.51.100.3') }],
      patches: [{ id: second.id, content: '198.51.100.2' }],
      deletes: [{ id: first.id }],
    });
    expect(answer.status).toBe(200);
    expect(answer.body.result).toMatchObject({
      deletes: [{ id: first.id }],
      patches: [{ id: second.id, content: '198.51.100.2' }],
      puts: [{ id: third.id, content: '198.51.100.3' }],
      posts: [{ type: 'CNAME' }],
    });
    expect(served('one.example.test')).toEqual(['300 CNAME two.example.test.']);
  });

  it('changes nothing when one operation fails, and reports the first error', async () => {
    const { emulator, records, served } = makeTestApi();
    const { id } = (await records('POST', '', a('keep'))).body.result;
    const answer = await records('POST', '/batch', {
      deletes: [{ id }],
      posts: [a('new'), a('bad', 'nonsense'), { type: 'A', name: 'worse' }],
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toHaveLength(1);
    expect(answer.body.errors[0].code).toBe(9005);
    expect(emulator.records('example.test').map((record) => record.name)).toEqual(['keep.example.test']);
    expect(served('keep.example.test')).toEqual(['300 A 198.51.100.1']);
    expect(served('new.example.test')).toEqual([]);
  });

  it('takes 200 operations on a free zone and not one more', async () => {
    const { records } = makeTestApi();
    const posts = (count: number) => Array.from({ length: count }, (_, index) => a(`n${count}-${index}`));
    expect((await records('POST', '/batch', { posts: posts(200) })).status).toBe(200);
    expect((await records('POST', '/batch', { posts: posts(201) })).status).toBe(400);
  });

  it.each([
    ['a list that is none', { posts: {} }],
    ['an unknown list', { post: [] }],
    ['a patch without id', { patches: [{ content: '198.51.100.9' }] }],
  ])('refuses %s', async (_, body) => {
    expect((await makeTestApi().records('POST', '/batch', body)).status).toBe(400);
  });

  it('keeps the zone as it was when the name server refuses', async () => {
    const api = makeTestApi({
      backend: {
        update: async () => {
          throw new Error('REFUSED');
        },
      },
    });
    expect((await api.records('POST', '', a('x'))).status).toBe(500);
    expect(api.emulator.records('example.test')).toEqual([]);
  });
});
