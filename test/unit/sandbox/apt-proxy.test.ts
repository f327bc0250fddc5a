import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAptProxy, removeStaleDrafts, upstreamUrl } from '../../../src/sandbox/apt/apt-proxy.js';

let archive: http.Server;
let proxy: http.Server;
let cacheDir: string;
let base: string;
let asked: string[];

beforeEach(async () => {
  asked = [];
  cacheDir = await mkdtemp(join(tmpdir(), 'apt-proxy-test-'));
  archive = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['if-modified-since'] ?? ''}`.trim());
    if (request.url?.includes('missing')) response.writeHead(404).end();
    else if (request.headers['if-modified-since'] !== undefined) response.writeHead(304).end();
    else if (request.url?.includes('short')) {
      response.writeHead(200, { 'content-length': 100 });
      response.write('only this', () => response.destroy());
    } else {
      const body = `contents of ${request.url}`;
      response.writeHead(200, { 'content-length': body.length, 'set-cookie': 'a=b' }).end(body);
    }
  });
  base = `http://127.0.0.1:${await listen(archive)}/debian`;
  proxy = createAptProxy({ archives: [base], cacheDir });
  await listen(proxy);
});

afterEach(async () => {
  archive.close();
  proxy.close();
  await rm(cacheDir, { recursive: true });
});

async function listen(server: http.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function get(url: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET') {
  return new Promise<{ status: number; body: string; headers: http.IncomingHttpHeaders }>(
    (resolve, reject) => {
      const { port } = proxy.address() as AddressInfo;
      const request = http.request({ port, path: url, headers, method, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += String(chunk);
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
        );
      });
      request.on('error', reject).end();
    },
  );
}

describe('the package proxy', () => {
  it('keeps packages and by-hash indices, and asks the archive for them once', async () => {
    for (const path of ['/pool/main/a/a_1_all.deb', '/dists/bookworm/main/by-hash/SHA256/abc']) {
      const first = await get(`${base}${path}`);
      expect(first).toMatchObject({ status: 200, body: `contents of /debian${path}` });
      expect(await get(`${base}${path}`)).toMatchObject({ status: 200, body: first.body });
    }
    expect(asked).toHaveLength(2);
    expect(await readdir(cacheDir)).toHaveLength(2);
  });

  it('always asks for what can change, and passes conditions and refusals on', async () => {
    await get(`${base}/dists/bookworm/InRelease`);
    const again = await get(`${base}/dists/bookworm/InRelease`, { 'if-modified-since': 'then' });
    expect(again.status).toBe(304);
    expect(asked).toEqual([
      'GET /debian/dists/bookworm/InRelease',
      'GET /debian/dists/bookworm/InRelease then',
    ]);
    expect((await get(`${base}/missing.deb`)).status).toBe(404);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('keeps nothing of a download that broke off', async () => {
    await expect(get(`${base}/pool/short.deb`)).rejects.toThrow();
    await expect.poll(() => readdir(cacheDir)).toEqual([]);
  });

  it('passes on no header it does not know', async () => {
    expect((await get(`${base}/Release`)).headers).not.toHaveProperty('set-cookie');
  });

  it('refuses other hosts, other paths, other methods', async () => {
    const { port } = archive.address() as AddressInfo;
    const bad = [
      `http://127.0.0.1:${port}/secret`,
      'http://elsewhere.example/debian/x',
      `${base}/../secret`,
      `${base}/%2e%2e/x`,
    ];
    for (const url of [...bad, '/local', `ftp://127.0.0.1:${port}/debian/x`])
      expect((await get(url)).status, url).toBe(403);
    expect((await get(`${base}/x`, {}, 'POST')).status).toBe(405);
    expect(asked).toEqual([]);
  });

  it('asks through the proxy that the machine itself uses', async () => {
    const { port } = archive.address() as AddressInfo;
    const through = createAptProxy({
      archives: ['http://mirror.invalid/debian'],
      cacheDir,
      upstreamProxy: `http://127.0.0.1:${port}`,
    });
    proxy.close();
    proxy = through;
    await listen(proxy);
    expect((await get('http://mirror.invalid/debian/Release')).status).toBe(200);
    expect(asked).toEqual(['GET http://mirror.invalid/debian/Release']);
  });

  it('speaks https to an archive that the machine reaches so', () => {
    const archives = [new URL('https://mirror.example/debian/')];
    expect(upstreamUrl('http://mirror.example/debian/Release', archives)?.href).toBe(
      'https://mirror.example/debian/Release',
    );
    expect(upstreamUrl('http://user:pw@mirror.example/debian/Release', archives)).toBeUndefined();
  });

  it('removes old unfinished downloads when it starts', async () => {
    for (const name of ['whole', 'old.draft', 'new.draft']) await writeFile(join(cacheDir, name), '');
    for (const name of ['whole', 'old.draft']) await utimes(join(cacheDir, name), 1, 1);
    await removeStaleDrafts(cacheDir);
    expect((await readdir(cacheDir)).sort()).toEqual(['new.draft', 'whole']);
  });
});
