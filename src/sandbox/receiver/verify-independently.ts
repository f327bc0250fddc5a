import type { LabHost } from '../machine/host.js';
import type { StoredMessage } from './message.js';
import { headerOf } from './message.js';

/** What programs that share nothing with Rspamd say about a message. */
export interface IndependentVerdict {
  /** All signatures verify: opendkim-testmsg(8). */
  opendkim: boolean;
  /** The first signature verifies: dkimverify(1) of python3-dkim. */
  dkimpy: boolean;
  /** check_host() of python3-spf (RFC 7208 section 2.6) for the client in the topmost Received field. */
  spf: string;
  /** Output of all three. */
  detail: readonly string[];
}

const spfProgram = `import sys, spf
ip, sender, helo = sys.argv[1:4]
print(spf.check2(i=ip, s=sender, h=helo, querytime=20)[0])
`;

/** Asks opendkim, dkimpy and pyspf, inside a host of the lab that has the services image. */
export async function verifyIndependently(
  host: LabHost,
  message: StoredMessage,
): Promise<IndependentVerdict> {
  const { ip, helo } = readClient(message);
  const opendkim = await host.exec(['opendkim-testmsg'], { input: message.raw });
  const dkimpy = await host.exec(['dkimverify'], { input: message.raw });
  const sender = message.envelopeFrom === '' ? `postmaster@${helo}` : message.envelopeFrom;
  const spf = await host.exec(['python3', '-c', spfProgram, ip, sender, helo]);
  return {
    opendkim: opendkim.code === 0,
    dkimpy: dkimpy.code === 0,
    spf: spf.stdout.trim(),
    detail: [opendkim, dkimpy, spf].map(({ code, stdout, stderr }) => `${code} ${stdout} ${stderr}`.trim()),
  };
}

/** `Received: from HELO (NAME [IP])`, as Postfix writes it. */
export function readClient(message: StoredMessage): { ip: string; helo: string } {
  const received = headerOf(message, 'received') ?? '';
  const match = /^from (\S+) \(\S+ \[(?:IPv6:)?([0-9a-fA-F.:]+)\]\)/.exec(received);
  return { helo: match?.[1] ?? '', ip: match?.[2] ?? '' };
}
