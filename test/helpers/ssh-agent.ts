import { createServer } from 'node:net';
import type { ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';

export interface TestAgent {
  socket: string;
  /** Signatures made so far. */
  signatures(): number;
  close(): Promise<void>;
}

/** A real agent on a Unix socket (the agent protocol, draft-miller-ssh-agent), holding the given private keys. */
export async function startSshAgent(socket: string, privateTexts: readonly string[]): Promise<TestAgent> {
  const keys = privateTexts.map((text) => {
    const key: unknown = ssh2.utils.parseKey(text);
    if (key instanceof Error) throw key;
    return (Array.isArray(key) ? key[0] : key) as ParsedKey;
  });
  let signatures = 0;
  const server = createServer((stream) => {
    const protocol = new ssh2.AgentProtocol(false);
    protocol.on('identities', (request) => {
      protocol.getIdentitiesReply(request, keys);
    });
    protocol.on('sign', (request, publicKey, data, options) => {
      const key = keys.find((one) => one.getPublicSSH().equals(publicKey.getPublicSSH()));
      if (!key) {
        protocol.failureReply(request);
        return;
      }
      signatures++;
      protocol.signReply(request, key.sign(data, options.hash));
    });
    stream.on('error', () => undefined);
    protocol.pipe(stream).pipe(protocol);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    signatures: () => signatures,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
