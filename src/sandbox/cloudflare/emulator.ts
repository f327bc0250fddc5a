import type { IncomingHttpHeaders } from 'node:http';
import { ApiError, apiErrors } from './api-error.js';
import { type Fault, FaultList, faultError } from './faults.js';
import { type ApiAnswer, type ApiRequest, dispatch } from './routes.js';
import type { StoredRecord } from './stored-record.js';
import { type TokenSettings, TokenStore } from './token-store.js';
import { createMemoryBackend, type ZoneBackend } from './zone-backend.js';
import { type Body, type ZoneSettings, ZoneStore } from './zone-store.js';

export interface EmulatorOptions {
  /** Where records become visible; in memory when absent. */
  backend?: ZoneBackend;
  now?: () => Date;
  /** What a proxied name answers with, instead of its own address. */
  proxyAddresses?: readonly string[];
  /** Longest comment: 100 on Free zones. */
  maxComment?: number;
  /** Most operations in a batch: 200 on Free zones. */
  maxBatch?: number;
}

/** One request as it was answered; nothing secret in it. */
export interface Call {
  method: string;
  path: string;
  status: number;
  write: boolean;
}

/** What the HTTP server hands over, and gets back. `reset`: cut the connection. */
export interface RawRequest {
  method: string;
  /** Path with query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}
export type RawAnswer = 'reset' | { status: number; headers: Readonly<Record<string, string>>; body: string };

export const basePath = '/client/v4';

/** An account of Cloudflare's DNS API, without its transport. The methods beside `answer` are the test's side. */
export class CloudflareEmulator {
  readonly tokens = new TokenStore();
  readonly faults = new FaultList();
  private readonly options: Required<EmulatorOptions>;
  private readonly zones = new Map<string, ZoneStore>();
  private calls: Call[] = [];

  constructor(options: EmulatorOptions = {}) {
    this.options = {
      backend: options.backend ?? createMemoryBackend(),
      now: options.now ?? (() => new Date()),
      proxyAddresses: options.proxyAddresses ?? ['198.51.100.250'],
      maxComment: options.maxComment ?? 100,
      maxBatch: options.maxBatch ?? 200,
    };
  }

  addZone(settings: ZoneSettings): ZoneStore {
    const zone = new ZoneStore(settings, this.options);
    this.zones.set(zone.id, zone);
    return zone;
  }

  addToken(settings: TokenSettings): void {
    this.tokens.add(settings);
  }

  addFault(fault: Fault): void {
    this.faults.add(fault);
  }

  zoneNamed(name: string): ZoneStore {
    const zone = [...this.zones.values()].find((candidate) => candidate.name === name);
    if (!zone) throw new Error(`the emulator has no zone ${name}`);
    return zone;
  }

  records(zone: string): StoredRecord[] {
    return this.zoneNamed(zone).list();
  }

  seed(zone: string, body: Body, meta?: Readonly<Record<string, boolean>>): Promise<StoredRecord> {
    return this.zoneNamed(zone).seed(body, meta);
  }

  callLog(): readonly Call[] {
    return this.calls;
  }

  /** Requests that were meant to change something, whether they succeeded or not. */
  writeCount(): number {
    return this.calls.filter((call) => call.write).length;
  }

  clearCalls(): void {
    this.calls = [];
  }

  async answer(request: RawRequest): Promise<RawAnswer> {
    const url = new URL(request.url, 'http://emulator');
    const path = url.pathname.startsWith(`${basePath}/`) ? url.pathname.slice(basePath.length) : '';
    const fault = this.faults.take(request.method, path);
    const answer = await this.perform(request, url, path, fault);
    const status = answer === 'reset' ? 0 : answer.status;
    this.calls.push({ method: request.method, path, status, write: request.method !== 'GET' });
    return answer;
  }

  private async perform(
    request: RawRequest,
    url: URL,
    path: string,
    fault: Fault | undefined,
  ): Promise<RawAnswer> {
    if (fault && fault.when !== 'after') return failAs(fault);
    const answer = await this.carryOut(request, url, path);
    return fault ? failAs(fault) : answer;
  }

  private async carryOut(request: RawRequest, url: URL, path: string): Promise<RawAnswer> {
    try {
      if (path === '') throw apiErrors.noRoute(url.pathname);
      const refused = path.endsWith('/tokens/verify')
        ? apiErrors.invalidApiToken
        : apiErrors.invalidAccessToken;
      const token = this.tokens.authenticate(request.headers, refused);
      const call: ApiRequest = {
        method: request.method,
        path,
        query: url.searchParams,
        headers: request.headers,
        body: request.body,
        token,
      };
      const account = { zones: [...this.zones.values()], maxBatch: this.options.maxBatch };
      return renderAnswer(await dispatch(call, account));
    } catch (error) {
      return renderError(error);
    }
  }
}

function failAs(fault: Fault): RawAnswer {
  return fault.answer === 'reset' ? 'reset' : renderError(faultError(fault));
}

const json = { 'content-type': 'application/json; charset=UTF-8' };

function renderAnswer(answer: ApiAnswer): RawAnswer {
  if ('text' in answer) return { status: 200, headers: { 'content-type': 'text/plain' }, body: answer.text };
  const { result, info, messages = [] } = answer;
  const body = { result, success: true, errors: [], messages, ...(info ? { result_info: info } : {}) };
  return { status: 200, headers: json, body: JSON.stringify(body) };
}

function renderError(error: unknown): RawAnswer {
  const known = error instanceof ApiError ? error : apiErrors.internal();
  const body = { result: null, success: false, errors: known.errors, messages: [] };
  return { status: known.status, headers: { ...json, ...known.headers }, body: JSON.stringify(body) };
}
