import net from 'node:net';
import tls from 'node:tls';

export interface Endpoint {
  /** IP literal: names are resolved by the caller, through the resolver the user chose. */
  address: string;
  port: number;
  /** Name for SNI and certificate verification. */
  servername: string;
  /** PEM of further trusted roots (a rehearsal's private CA). */
  ca?: string;
  /** Milliseconds for the connection and for each reply. */
  timeout?: number;
  /** To ask for what no client should: protocol versions that are over, with the ciphers they need. */
  tls?: Pick<tls.ConnectionOptions, 'minVersion' | 'maxVersion' | 'ciphers'>;
}

export interface TlsState {
  protocol: string;
  cipher: string;
  /** Of a finite-field Diffie-Hellman exchange; its size in bits. */
  dhBits?: number;
  /** False with the reason when the chain or the name does not verify. */
  authorized: boolean;
  reason?: string;
  /** The certificate carries the server's name, whoever signed it. */
  nameMatches: boolean;
  /** As served, leaf first, DER. */
  chain: readonly Buffer[];
  certificate: {
    subject: string;
    names: readonly string[];
    issuer: string;
    validFrom: string;
    validTo: string;
    /** DER, for TLSA and SPKI comparisons. */
    raw: Buffer;
  };
}

const maxLine = 16 * 1024;

/** Why a conversation could not go on. `reason` separates "nobody there", "there, and silent", "not now" (4xx) and "said no". */
export class ConversationError extends Error {
  readonly reason: 'refused' | 'timeout' | 'silent' | 'unreachable' | 'later' | 'closed' | 'protocol' | 'tls';
  constructor(reason: ConversationError['reason'], message: string) {
    super(message);
    this.name = 'ConversationError';
    this.reason = reason;
  }
}

/** A line-oriented TCP client with optional TLS from the start or later; every read is capped and timed. */
export class LineClient {
  private socket: net.Socket;
  private buffer = Buffer.alloc(0);
  private ended: ConversationError | undefined;
  private wake: (() => void) | undefined;
  private readonly endpoint: Endpoint;
  tls: TlsState | undefined;

  private constructor(socket: net.Socket, endpoint: Endpoint) {
    this.socket = socket;
    this.endpoint = endpoint;
    this.listen();
  }

  static async connect(endpoint: Endpoint, options: { tls: boolean }): Promise<LineClient> {
    const socket = await connectTcp(endpoint);
    const client = new LineClient(socket, endpoint);
    if (options.tls) await client.startTls();
    return client;
  }

  /** One line without its line ending. */
  async readLine(): Promise<string> {
    for (;;) {
      const end = this.buffer.indexOf('\n');
      if (end >= 0) {
        const line = this.buffer.subarray(0, end).toString('utf8');
        this.buffer = this.buffer.subarray(end + 1);
        return line.endsWith('\r') ? line.slice(0, -1) : line;
      }
      if (this.buffer.length > maxLine) throw new ConversationError('protocol', 'a reply line is too long');
      if (this.ended) throw this.ended;
      await this.waitForData();
    }
  }

  /** Exactly `size` bytes (IMAP literals). */
  async readBytes(size: number): Promise<Buffer> {
    while (this.buffer.length < size) {
      if (this.ended) throw this.ended;
      await this.waitForData();
    }
    const bytes = this.buffer.subarray(0, size);
    this.buffer = this.buffer.subarray(size);
    return bytes;
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** Upgrades the connection (STARTTLS or implicit). Verification failures are recorded, not thrown. */
  async startTls(): Promise<void> {
    const plain = this.socket;
    plain.removeAllListeners();
    if (this.buffer.length > 0)
      throw new ConversationError('protocol', 'data was sent before the TLS handshake');
    const { servername, ca, timeout = 15_000 } = this.endpoint;
    const secure = tls.connect({
      socket: plain,
      ...this.endpoint.tls,
      ...(net.isIP(servername) ? {} : { servername }),
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca: [...tls.rootCertificates, ca] }),
    });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        secure.destroy();
        reject(new ConversationError('silent', 'the TLS handshake timed out'));
      }, timeout);
      secure.once('secureConnect', () => {
        clearTimeout(timer);
        resolve();
      });
      secure.once('error', (error) => {
        clearTimeout(timer);
        reject(new ConversationError('tls', error.message));
      });
    });
    this.tls = describeTls(secure, servername);
    this.socket = secure;
    this.listen();
  }

  /** Says that nothing more will be sent; what the server still says can be read. */
  endInput(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  private listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.buffer = Buffer.concat([this.buffer, chunk]);
      this.wake?.();
    });
    this.socket.on('error', (error) => this.end(new ConversationError('closed', error.message)));
    this.socket.on('close', () => this.end(new ConversationError('closed', 'the connection was closed')));
  }

  private end(error: ConversationError): void {
    this.ended ??= error;
    this.wake?.();
  }

  private waitForData(): Promise<void> {
    const timeout = this.endpoint.timeout ?? 15_000;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake = undefined;
        reject(new ConversationError('silent', `no reply within ${timeout / 1000} s`));
      }, timeout);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }
}

function connectTcp({ address, port, timeout = 15_000 }: Endpoint): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new ConversationError(
          'timeout',
          `no connection to ${address} port ${port} within ${timeout / 1000} s`,
        ),
      );
    }, timeout);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new ConversationError(error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable', error.message));
    });
  });
}

function describeTls(socket: tls.TLSSocket, servername: string): TlsState {
  const peer = socket.getPeerCertificate(true);
  const nameError = net.isIP(servername) ? undefined : tls.checkServerIdentity(servername, peer);
  const reason = socket.authorizationError ? String(socket.authorizationError) : nameError?.message;
  const exchange = socket.getEphemeralKeyInfo();
  const dhBits =
    exchange !== null && 'type' in exchange && exchange.type === 'DH' ? exchange.size : undefined;
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    ...(dhBits === undefined ? {} : { dhBits }),
    authorized: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    nameMatches: nameError === undefined,
    chain: chainOf(peer),
    certificate: {
      subject: String(peer.subject?.CN ?? ''),
      names: (peer.subjectaltname ?? '')
        .split(', ')
        .flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : [])),
      issuer: String(peer.issuer?.CN ?? peer.issuer?.O ?? ''),
      validFrom: peer.valid_from ?? '',
      validTo: peer.valid_to ?? '',
      raw: peer.raw ?? Buffer.alloc(0),
    },
  };
}

/** A self-signed root names itself as its issuer; that ends the walk. */
function chainOf(peer: tls.DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = [];
  const seen = new Set<string>();
  let next: tls.DetailedPeerCertificate | undefined = peer;
  while (next?.raw !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(next.raw);
    next = next.issuerCertificate;
  }
  return chain;
}
