import { connect } from 'node:net';

/** A key as the agent names it. */
export interface ListedKey {
  blob: Buffer;
  comment: string;
}

const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11]);
const IDENTITIES_ANSWER = 12;
const MOST_BYTES = 256 * 1024;
const PATIENCE_MS = 5000;

/**
 * Asks an agent for all its keys (draft-miller-ssh-agent 4.4). ssh2's own listing drops the types it cannot use without a word,
 * and then nobody could say why a security key or certificate was not offered.
 */
export function listAgentKeys(socketPath: string, patienceMs = PATIENCE_MS): Promise<ListedKey[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let received = Buffer.alloc(0);
    const end = (outcome: ListedKey[] | Error) => {
      clearTimeout(timer);
      socket.on('error', () => undefined);
      socket.destroy();
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const timer = setTimeout(() => end(new Error('no answer')), patienceMs);
    socket.once('error', end);
    socket.once('close', () => end(new Error('it hung up')));
    socket.once('connect', () => socket.write(REQUEST_IDENTITIES));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const length = received.readUInt32BE(0);
      if (length > MOST_BYTES) end(new Error('its answer is too long'));
      else if (received.length >= 4 + length) end(parseIdentities(received.subarray(4, 4 + length)));
    });
  });
}

/** The body of an IDENTITIES_ANSWER. */
export function parseIdentities(body: Buffer): ListedKey[] | Error {
  if (body.length < 5 || body[0] !== IDENTITIES_ANSWER) return new Error('its answer is not a list of keys');
  const keys: ListedKey[] = [];
  let at = 5;
  const next = () => {
    const end = at + 4 <= body.length ? at + 4 + body.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > body.length) return undefined;
    const part = body.subarray(at + 4, end);
    at = end;
    return part;
  };
  for (let left = body.readUInt32BE(1); left > 0; left--) {
    const blob = next();
    const comment = next();
    if (!blob || !comment) return new Error('its answer is cut short');
    keys.push({ blob: Buffer.from(blob), comment: comment.toString('utf8') });
  }
  return keys;
}
