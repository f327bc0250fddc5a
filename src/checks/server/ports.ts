import { ConversationError, LineClient } from '../../mail/line-client.js';
import { endpoint, type Outcome, type ServerCheck, type ServerTarget, subjectOf } from './server-check.js';

/** Ports that programs of a mail server listen on and that are nobody's business outside. */
const inside: readonly [port: number, what: string][] = [
  // Of a server that only sends; the others are meant to listen there.
  [25, 'SMTP'],
  [53, 'DNS'],
  [110, 'POP3 in plain text'],
  [143, 'IMAP in plain text'],
  [995, 'POP3'],
  [3306, 'MySQL'],
  [5432, 'PostgreSQL'],
  [6379, 'Redis'],
  [8891, 'OpenDKIM'],
  [11332, 'Rspamd’s milter'],
  [11333, 'Rspamd'],
  [11334, 'Rspamd’s console'],
];

/** A silent port is as good as a closed one, so nobody waits long for it. */
const patience = 4000;

export const portsOpen: ServerCheck = {
  id: 'PORTS-OPEN',
  title: 'Every port that the server is for is open',
  needs: [],
  ref: 'RFC 8314 section 7',
  run: (target, address) =>
    Promise.all(
      target.ports.map(async ({ port }): Promise<Outcome> => {
        const subject = subjectOf(address, port);
        const state = await knock(target, address, port, target.timeout);
        if (state === 'open') return { status: 'pass', subject, message: 'The port is open.' };
        if (state === 'closed') {
          return {
            status: 'fail',
            subject,
            message: 'The port refuses connections.',
            expected: 'open',
            observed: 'refused',
            fix: 'Look at the service and at the firewall of the server: smtp-setup status, then smtp-setup apply.',
          };
        }
        return {
          status: 'unknown',
          subject,
          message: 'The port could not be reached from here.',
          observed: 'no answer',
          fix: "Look at the provider's firewall and at this network: many block port 25. Ask again from another network.",
        };
      }),
    ),
};

export const portsClosed: ServerCheck = {
  id: 'PORTS-CLOSED',
  title: 'Nothing of the inside is open to the world',
  needs: [],
  ref: 'RFC 8314 section 4.1',
  async run(target, address) {
    const open = await Promise.all(
      inside
        .filter(([port]) => !target.ports.some((served) => served.port === port))
        .map(async ([port, what]): Promise<Outcome[]> => {
          if ((await knock(target, address, port, Math.min(patience, target.timeout))) !== 'open') return [];
          return [
            {
              status: 'fail',
              subject: subjectOf(address, port),
              message: `Port ${port} (${what}) answers strangers.`,
              expected: 'closed',
              observed: 'open',
              fix: `On the server, see what it is: ss -ltnp 'sport = :${port}'. Let it listen on 127.0.0.1, or close the port in the firewall.`,
            },
          ];
        }),
    );
    const found = open.flat();
    if (found.length > 0) return found;
    return [
      { status: 'pass', subject: address, message: `None of ${inside.length} ports of the inside answers.` },
    ];
  },
};

async function knock(
  target: ServerTarget,
  address: string,
  port: number,
  timeout: number,
): Promise<'open' | 'closed' | 'silent'> {
  try {
    const line = await LineClient.connect({ ...endpoint(target, address, port), timeout }, { tls: false });
    line.close();
    return 'open';
  } catch (error) {
    if (!(error instanceof ConversationError)) throw error;
    return error.reason === 'refused' ? 'closed' : 'silent';
  }
}
