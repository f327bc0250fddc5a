import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../errors.js';
import { isErrno } from '../lock.js';

export interface AptProxyOptions {
  /** Archive roots that may be asked, such as `http://mirror/debian`; everything else is refused. */
  archives: readonly string[];
  cacheDir: string;
  /** The proxy that the machine's own apt uses. */
  upstreamProxy?: string;
}

/** Bigger than any package in Debian's main archive. */
const MAX_BYTES = 2 * 1024 ** 3;
const PASSED_ON = [
  'content-type',
  'content-length',
  'last-modified',
  'etag',
  'content-range',
  'accept-ranges',
  'date',
];

/**
 * A forward proxy for apt (RFC 9112 section 3.2.2, absolute-form) that keeps what never changes under its address:
 * packages and by-hash indices. It reads nothing but the archives of the machine's own apt configuration.
 */
export function createAptProxy(options: AptProxyOptions): http.Server {
  const archives = options.archives.map((uri) => new URL(`${uri.replace(/\/+$/, '')}/`));
  return http.createServer((request, response) => {
    answer(request, response, archives, options).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 502, messageOf(error));
    });
  });
}

/** Removes unfinished downloads that proxies left when they were killed more than an hour ago. */
export async function removeStaleDrafts(cacheDir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  for (const name of await readdir(cacheDir)) {
    if (name.includes('.')) await removeIfOld(join(cacheDir, name));
  }
}

async function removeIfOld(file: string): Promise<void> {
  try {
    if ((await stat(file)).mtimeMs < Date.now() - 3_600_000) await rm(file, { force: true });
  } catch (error) {
    // Another lab's proxy has just finished this download.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  archives: readonly URL[],
  options: AptProxyOptions,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'only GET and HEAD');
  const upstream = upstreamUrl(request.url ?? '', archives);
  if (upstream === undefined)
    return refuse(response, 403, 'not an archive of the machine that runs the sandbox');
  const cached = isImmutable(upstream) ? cacheFile(options.cacheDir, upstream) : undefined;
  if (cached !== undefined && (await serveFile(cached, request, response))) return;
  await fetchAndServe(upstream, cached, request, response, options);
}

/** The upstream address of a request; the VPS always says http, the archive may be https. Undefined: refused. */
export function upstreamUrl(requested: string, archives: readonly URL[]): URL | undefined {
  if (!URL.canParse(requested)) return undefined;
  const url = new URL(requested);
  if (url.username !== '' || url.password !== '' || /%2f|%2e|\\/i.test(url.pathname)) return undefined;
  const archive = archives.find(
    (known) => known.host === url.host && url.pathname.startsWith(known.pathname),
  );
  if (archive === undefined || url.protocol !== 'http:') return undefined;
  url.protocol = archive.protocol;
  url.hash = '';
  return url;
}

function isImmutable(url: URL): boolean {
  return /\.u?deb$/.test(url.pathname) || url.pathname.includes('/by-hash/');
}

function cacheFile(directory: string, url: URL): string {
  return join(directory, createHash('sha256').update(url.href).digest('hex'));
}

async function serveFile(
  file: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<boolean> {
  try {
    const { size, mtime } = await stat(file);
    response.writeHead(200, { 'content-length': size, 'last-modified': mtime.toUTCString() });
    if (request.method === 'HEAD') response.end();
    else await pipeline(createReadStream(file), response);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

async function fetchAndServe(
  upstream: URL,
  cached: string | undefined,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  options: AptProxyOptions,
): Promise<void> {
  const reply = await requestUpstream(upstream, request, options.upstreamProxy);
  const length = Number(reply.headers['content-length'] ?? 0);
  if (!(length <= MAX_BYTES)) {
    reply.destroy();
    return refuse(response, 502, 'the file is too big');
  }
  const headers = PASSED_ON.flatMap((name) => {
    const value = reply.headers[name];
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  response.writeHead(reply.statusCode ?? 502, Object.fromEntries(headers));
  const store = cached !== undefined && request.method === 'GET' && reply.statusCode === 200 && length > 0;
  if (!store) return pipeline(reply, response);

  const draft = `${cached}.${randomUUID()}`;
  const file = createWriteStream(draft, { mode: 0o600 });
  // The client may go away between two chunks; what was written is thrown away then, and only a whole file counts.
  let broken: Error | undefined;
  file.on('error', (error) => {
    broken = error;
  });
  try {
    await pipeline(
      reply,
      async function* (source: AsyncIterable<Buffer>) {
        // The last piece is held back until the copy is in place: who asks again right after it finds the copy.
        let held: Buffer | undefined;
        for await (const chunk of source) {
          if (file.destroyed) throw broken ?? new Error('the client went away');
          if (!file.write(chunk)) await new Promise<void>((resolve) => file.once('drain', resolve));
          if (held !== undefined) yield held;
          held = chunk;
        }
        await new Promise<void>((resolve, reject) =>
          file.end((error?: Error | null) => (error ? reject(error) : resolve())),
        );
        if (broken === undefined && (await stat(draft)).size === length) await rename(draft, cached);
        if (held !== undefined) yield held;
      },
      response,
    );
  } finally {
    file.destroy();
    await rm(draft, { force: true });
  }
}

function requestUpstream(
  upstream: URL,
  request: http.IncomingMessage,
  proxy: string | undefined,
): Promise<http.IncomingMessage> {
  const headers: http.OutgoingHttpHeaders = { host: upstream.host, 'user-agent': 'smtp-setup-sandbox' };
  for (const name of ['if-modified-since', 'if-range', 'range', 'cache-control', 'accept']) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  const via = proxy !== undefined && upstream.protocol === 'http:' ? new URL(proxy) : undefined;
  return new Promise((resolve, reject) => {
    const options: http.RequestOptions = { method: request.method ?? 'GET', headers, timeout: 60_000 };
    const sent =
      via === undefined
        ? (upstream.protocol === 'https:' ? https : http).request(upstream, options, resolve)
        : http.request(
            { ...options, host: via.hostname, port: via.port || 80, path: upstream.href },
            resolve,
          );
    sent.on('timeout', () => sent.destroy(new Error('the archive does not answer')));
    sent.on('error', reject);
    sent.end();
  });
}

function refuse(response: http.ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(`${why}\n`);
}
