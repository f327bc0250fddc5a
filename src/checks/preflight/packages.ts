import { hasForeignPostfix } from '../../facts/foreign-postfix.js';
import type { Finding, Status } from '../check.js';
import { finding, type PreflightContext, type PreflightFacts } from './rule.js';

/** Mail servers that Debian's Postfix replaces: a package conflict, so apt removes them. */
const otherMtas = [
  'exim4-daemon-light',
  'exim4-daemon-heavy',
  'sendmail-bin',
  'opensmtpd',
  'courier-mta',
  'nullmailer',
  'ssmtp',
  'msmtp-mta',
  'dma',
];

export function checkPackages(facts: PreflightFacts, context: PreflightContext): Finding[] {
  return [
    ...checkDpkg(facts),
    ...checkFirstBoot(facts),
    ...checkHeld(facts, context),
    ...checkSources(facts),
    ...checkPanels(facts),
    ...checkOtherMta(facts),
    ...checkForeignPostfix(facts),
    ...checkLocalQueue(facts, context),
  ];
}

function checkDpkg({ dpkg }: PreflightFacts): Finding[] {
  const title = 'Package system';
  if (!dpkg.present) {
    return [
      finding('SRV-DPKG', 'fail', title, 'dpkg', 'There is no dpkg: this is no Debian or Ubuntu.', {
        fix: 'Rebuild the server with a supported system.',
      }),
    ];
  }
  const findings: Finding[] = [];
  if (dpkg.interrupted || dpkg.audit.length > 0) {
    findings.push(
      finding(
        'SRV-DPKG',
        'warn',
        title,
        'dpkg --audit',
        'An earlier installation did not end; it is finished first.',
        {
          observed: describeAudit(dpkg.audit),
          fix: 'Nothing to do: the run begins with dpkg --configure -a.',
        },
      ),
    );
  }
  const lock = dpkg.locks[0];
  if (lock) {
    findings.push(
      finding(
        'SRV-LOCK',
        'info',
        title,
        lock.file,
        `Process ${lock.pid} (${lock.command || 'unknown'}) is at it; the run waits for it.`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [finding('SRV-DPKG', 'pass', title, 'dpkg', 'in order, not locked')];
}

/** Sentences for people, then a line for each package: a blank, its name, what it is. */
function describeAudit(audit: readonly string[]): string | undefined {
  const names = audit.flatMap((line) => /^ ([a-z0-9][a-z0-9.+-]*)/.exec(line)?.[1] ?? []);
  return names.length > 0 ? names.join(', ') : audit[0];
}

function checkFirstBoot({ firstBoot }: PreflightFacts): Finding[] {
  const title = 'First boot';
  if (firstBoot.cloudInit === 'error') {
    return [
      finding('SRV-FIRST-BOOT', 'warn', title, 'cloud-init status', 'cloud-init ended with an error.', {
        fix: 'See on the server what it could not do: cloud-init status --long',
      }),
    ];
  }
  const busy = [...(firstBoot.cloudInit === 'running' ? ['cloud-init'] : []), ...firstBoot.jobs];
  if (busy.length === 0) return [];
  return [
    finding(
      'SRV-FIRST-BOOT',
      'info',
      title,
      busy.join(', '),
      'The server is still busy with itself; the run waits for it.',
    ),
  ];
}

function checkHeld({ packages, candidates }: PreflightFacts, context: PreflightContext): Finding[] {
  return context.packages.flatMap((name) => {
    const pinned = candidates.get(name)?.pinned;
    if (packages.get(name)?.held) {
      return [
        finding(
          'SRV-HELD',
          'fail',
          'Held package',
          name,
          `${name} is held: apt may neither install nor upgrade it.`,
          {
            fix: `Release it on the server: apt-mark unhold ${name}`,
          },
        ),
      ];
    }
    if (pinned === undefined) return [];
    return [
      finding(
        'SRV-PINNED',
        'warn',
        'Pinned package',
        name,
        `A preference of apt pins ${name} to ${pinned}.`,
        {
          fix: "See /etc/apt/preferences and /etc/apt/preferences.d: the distribution's own version is what was tried.",
        },
      ),
    ];
  });
}

/** Lists that were never fetched say nothing; lists that know Postfix but not Rspamd lack a component. */
function checkSources({ candidates, os }: PreflightFacts): Finding[] {
  const known = (name: string) => candidates.get(name)?.version !== undefined;
  if (!known('postfix')) {
    return [
      finding(
        'SRV-SOURCES',
        'unknown',
        'Package sources',
        'apt-cache policy',
        'The package lists were not fetched yet; the run fetches them.',
      ),
    ];
  }
  const missing = ['dovecot-core', 'rspamd', 'unbound', 'certbot'].filter((name) => !known(name));
  if (missing.length === 0)
    return [
      finding('SRV-SOURCES', 'pass', 'Package sources', 'apt-cache policy', 'all packages are to be had'),
    ];
  return [
    finding(
      'SRV-SOURCES',
      'fail',
      'Package sources',
      missing.join(', '),
      'The package sources do not offer everything.',
      {
        fix:
          os?.id === 'ubuntu'
            ? 'Enable the component universe on the server: add-apt-repository universe && apt-get update'
            : 'See that /etc/apt/sources.list (or sources.list.d) names the whole release, then: apt-get update',
      },
    ),
  ];
}

function checkPanels({ otherMail }: PreflightFacts): Finding[] {
  if (otherMail.panels.length === 0) return [];
  const names = otherMail.panels.join(', ');
  return [
    finding('SRV-PANEL', 'fail', 'Mail panel', names, `${names} manages mail on this server already.`, {
      fix: "Use a fresh VPS: two programs that both write the mail configuration destroy each other's work.",
    }),
  ];
}

/** How each is told to deliver its queue now; the others understand `sendmail -q`. */
const deliverQueue = (installed: readonly string[]): string =>
  installed.some((name) => name.startsWith('exim4')) ? 'exim4 -qff' : 'sendmail -q';

function checkOtherMta({ packages, otherMail }: PreflightFacts): Finding[] {
  const found = otherMtas.filter((name) => packages.get(name)?.installed);
  if (found.length === 0) return [];
  const report = (status: Status, message: string, observed: string, fix: string) => [
    finding('SRV-OTHER-MTA', status, 'Another mail server', found.join(', '), message, { observed, fix }),
  ];
  const { queued } = otherMail;
  if (queued !== undefined && queued > 0) {
    return report(
      'fail',
      'Mail waits in the queue of a mail server that Postfix would replace, and Postfix cannot read it.',
      inQueue(queued),
      `Deliver what waits on the server (${deliverQueue(found)}); mailq lists what is left, to be removed where nobody needs it. Then run this again.`,
    );
  }
  return report(
    'warn',
    'Postfix replaces it; apt removes the package, its files under /etc and /var stay.',
    queued === undefined ? 'its queue could not be counted' : 'its queue is empty',
    queued === undefined ? 'See on the server that nothing waits any more: mailq' : 'Nothing to do.',
  );
}

function checkForeignPostfix(facts: PreflightFacts): Finding[] {
  if (!hasForeignPostfix(facts)) return [];
  const queued = facts.otherMail.queued ?? 0;
  return [
    finding(
      'SRV-OTHER-POSTFIX',
      'warn',
      'Another mail server',
      '/etc/postfix',
      'Postfix works here already, with a configuration of its own.',
      {
        observed: queued > 0 ? `${inQueue(queued)}, which stay there and go out later` : 'its queue is empty',
        fix: 'Make a mailbox or an alias for everybody who gets mail here today. Until then it is put off, not refused; /var/mail and the homes stay as they are.',
      },
    ),
  ];
}

/** Ours deliver these on the machine itself, for whoever has the first mailbox. */
const rolesHere = ['root', 'postmaster', 'abuse', 'mailer-daemon'];

/** Under another configuration such mail is nobody's: it would bounce, or wait in vain for its own server. */
function checkLocalQueue(facts: PreflightFacts, { hostname }: PreflightContext): Finding[] {
  if (!hasForeignPostfix(facts)) return [];
  const lost = (facts.otherMail.queuedHere ?? []).filter((address) => {
    const [local = '', domain = ''] = address.toLowerCase().split('@');
    return !(rolesHere.includes(local) && (domain === hostname || domain === 'localhost'));
  });
  if (lost.length === 0) return [];
  const shown = lost.slice(0, 5).join(', ');
  return [
    finding(
      'SRV-LOCAL-QUEUE',
      'fail',
      'Mail for users of this server',
      '/var/spool/postfix',
      'Mail waits in the queue for users that only the present configuration knows; it would come back to its senders.',
      {
        observed: `for ${shown}${lost.length > 5 ? ` and ${lost.length - 5} more` : ''}`,
        fix: 'Have it delivered on the server first (postqueue -f; what is on hold: postsuper -r ALL); mailq lists what is left and why, and postsuper -d ID removes what nobody needs. Then run this again.',
      },
    ),
  ];
}

const inQueue = (count: number): string =>
  count === 1 ? '1 message in its queue' : `${count} messages in its queue`;
