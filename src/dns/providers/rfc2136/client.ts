import { randomInt } from 'node:crypto';
import type { ProviderContext } from '../provider.js';
import type { WriteFailure } from '../write-changes.js';
import { exchangeTcp, NoAnswer } from './exchange.js';
import {
  type AnswerRecord,
  decodeMessage,
  encodeMessage,
  type Incoming,
  type Outgoing,
  updateFlags,
  type WireRecord,
} from './message.js';
import { typeCodes } from './record-data.js';
import { signMessage, type TsigKey, TsigVerifier } from './tsig.js';
import { MalformedMessage } from './wire.js';

export interface UpdateServer {
  host: string;
  port: number;
  key: TsigKey;
}

/** Why an exchange failed. `rcode` when the server said so in a signed answer. */
export class DnsFailure extends Error {
  readonly kind: WriteFailure['kind'];
  readonly rcode: number | undefined;

  constructor(kind: WriteFailure['kind'], text: string, rcode?: number) {
    super(text);
    this.kind = kind;
    this.rcode = rcode;
  }
}

const rcodeNames = [
  ...['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'],
  ...['YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH', 'NOTZONE'],
];

/** RFC 2136 section 2.2: which codes say that the zone is not as the prerequisites want it. */
const prerequisiteCodes = new Set([3, 6, 7, 8]);

function describeRcode(rcode: number): string {
  return `the server answered ${rcodeNames[rcode] ?? `rcode ${rcode}`}`;
}

function asFailure(rcode: number): DnsFailure {
  const text = describeRcode(rcode);
  if (rcode === 2) return new DnsFailure('transient', text, rcode);
  if (rcode === 5 || rcode === 9) return new DnsFailure('token', text, rcode);
  return new DnsFailure(prerequisiteCodes.has(rcode) ? 'conflict' : 'refused', text, rcode);
}

const maxTransferBytes = 64 * 1024 * 1024;

/** Signed questions, transfers and updates at one server, over TCP. Every failure is a DnsFailure. */
export class UpdateClient {
  private readonly server: UpdateServer;
  private readonly context: ProviderContext;
  private readonly now: () => number;

  constructor(server: UpdateServer, context: ProviderContext, now = () => Math.floor(Date.now() / 1000)) {
    this.server = server;
    this.context = context;
    this.now = now;
  }

  /** One question; any rcode is an answer. */
  async query(name: string, type: string): Promise<Incoming> {
    let answer: Incoming | undefined;
    await this.exchange({ flags: 0, question: { name, type: typeCodes[type] ?? 0 } }, (message) => {
      answer = message;
      return true;
    });
    if (!answer) throw new DnsFailure('transient', 'no answer came');
    return answer;
  }

  /** Every record of a zone but the closing SOA (RFC 5936). */
  async transfer(zone: string): Promise<AnswerRecord[]> {
    const records: AnswerRecord[] = [];
    const soa = typeCodes.SOA;
    await this.exchange({ flags: 0, question: { name: zone, type: typeCodes.AXFR ?? 0 } }, (message) => {
      if (message.rcode !== 0) throw asFailure(message.rcode);
      for (const record of message.answers) {
        if (records.length === 0 && record.type !== soa) {
          throw new DnsFailure('transient', 'the transfer does not begin with the SOA record');
        }
        if (records.length > 0 && record.type === soa) return true;
        records.push(record);
      }
      return false;
    });
    return records;
  }

  /** One update, carried out as a whole or not at all (RFC 2136 section 3.4). */
  async update(
    zone: string,
    prerequisites: readonly WireRecord[],
    changes: readonly WireRecord[],
  ): Promise<void> {
    const question = { name: zone, type: typeCodes.SOA ?? 0 };
    const request = { flags: updateFlags, question, answers: prerequisites, authorities: changes };
    await this.exchange(request, ({ rcode }) => {
      if (rcode !== 0) throw asFailure(rcode);
      return true;
    });
  }

  private async exchange(
    request: Omit<Outgoing, 'id'>,
    onMessage: (message: Incoming) => boolean,
  ): Promise<void> {
    const { host, port, key } = this.server;
    const id = randomInt(0x10000);
    const { signed, mac } = signMessage(encodeMessage({ id, ...request }), key, this.now());
    if (signed.length > 0xffff) throw new DnsFailure('refused', 'the update does not fit into one message');
    const verifier = new TsigVerifier(key, mac, this.now);
    const isQuery = request.flags === 0;
    // Nothing is handed over before it is proven: unsigned messages wait for the next signature.
    let waiting: Incoming[] = [];
    try {
      await exchangeTcp({
        host,
        port,
        message: signed,
        signal: this.context.signal,
        idleMs: 30_000,
        maxBytes: maxTransferBytes,
        onMessage: (bytes) => {
          const message = decodeMessage(bytes);
          if (message.id !== id || !message.response)
            throw new MalformedMessage('an answer to another question');
          // Knot refuses names outside its zones before it looks at the signature. It proves nothing but "not here".
          if (isQuery && !message.signature && message.rcode === 5) return onMessage(message);
          const verdict = verifier.check(bytes, message);
          if (!verdict.ok) throw new DnsFailure('token', verdict.detail);
          waiting.push(message);
          if (verifier.unsigned > 0) return false;
          const proven = waiting;
          waiting = [];
          return proven.some(onMessage);
        },
      });
    } catch (error) {
      if (error instanceof NoAnswer || error instanceof MalformedMessage) {
        throw new DnsFailure('transient', `no usable answer from ${host}: ${error.message}`);
      }
      throw error;
    }
  }
}
