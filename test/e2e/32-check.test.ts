import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blockLists } from '../../src/checks/block-lists.js';
import type { Finding } from '../../src/checks/check.js';
import { openPanel } from '../../src/sandbox/panel/panel.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { schemaErrors } from '../helpers/json-schema.js';
import { type CliResult, openProvisioned, shell, startCli, type World } from '../helpers/world.js';

describe.each(['debian-12', 'debian-13'] as const)('check on %s', (image) => {
  let world: World;
  let receiver: Receiver;
  let env: Record<string, string>;
  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  const flags = () => ['--config', world.rehearsal.configFile, '--resolver', world.lab.resolver];
  const check = (...args: string[]) => world.cli(['check', ...args, ...flags()], { env });
  const lists = () => world.lab.vps.exec('cat /etc/smtp-setup/users /etc/smtp-setup/maps/mailboxes');

  beforeAll(async () => {
    world = await openProvisioned('check', image);
    receiver = await startReceiver(world.lab);
    for (const { zone } of blockLists) {
      await world.lab.dns.addZone(zone, { records: [`2.0.0.127.${zone}. 60 A 127.0.0.2`] });
    }
    const init = await world.cli(world.rehearsal.initArguments);
    expect(init.code, said(init)).toBe(0);
    // As on a machine that knows the authority: the chain is verified for real.
    const roots = join(world.rehearsal.home, 'roots.pem');
    await writeFile(roots, await world.lab.acme.roots());
    env = { NODE_EXTRA_CA_CERTS: roots };
  });
  afterAll(() => world?.lab.down());

  /** Findings of a run that are neither passed nor notes, as `ID status`, each once. */
  async function troubleOf(...args: string[]): Promise<{ ids: string[]; findings: Finding[]; code: number }> {
    const result = await check(...args, '--json');
    const { results } = JSON.parse(result.stdout) as { results: Finding[] };
    const findings = results.filter(({ status }) => status !== 'pass' && status !== 'info');
    const ids = [...new Set(findings.map(({ id, status }) => `${id} ${status}`))];
    return { ids, findings, code: result.code };
  }

  it('finds nothing wrong with a good server, in one verdict and every form', async () => {
    const before = (await lists()).stdout;
    const [junit, html] = ['report.xml', 'report.html'].map((name) => join(world.rehearsal.home, name));
    const result = await check(
      ...['--to', `echo@${receiver.domain}`, '--wait', '120s', '--json'],
      ...['--junit', junit ?? '', '--html', html ?? ''],
    );
    const document = JSON.parse(result.stdout) as { results: Finding[]; exit: number };
    const trouble = document.results.filter(({ status }) => !['pass', 'info'].includes(status));
    expect(trouble).toEqual([]);
    expect(result.code, said(result)).toBe(0);
    const schema = JSON.parse(await readFile('schemas/check-report.schema.json', 'utf8')) as unknown;
    expect(schemaErrors(schema, document)).toEqual([]);
    const passed = new Set(document.results.flatMap(({ id, status }) => (status === 'pass' ? [id] : [])));
    for (const id of [
      ...['PORTS-OPEN', 'PORTS-CLOSED', 'SMTP-GREETING', 'SMTP-PTR', 'TLS-CERT', 'TLS-OLD', 'SMTP-AUTH-25'],
      ...['SUBMISSION-TLS', 'SUBMISSION-OPEN', 'SUBMISSION-SENDER', 'SMTP-RELAY', 'SMTP-RCPT', 'SMTP-VRFY'],
      ...['SMTP-SMUGGLING', 'BLOCKLIST', 'DELIVERY-SUBMIT', 'DELIVERY-ROUND-TRIP', 'DELIVERY-DKIM'],
      ...['DELIVERY-PRIVACY', 'DELIVERY-IN', 'DELIVERY-OUT', 'DELIVERY-VERDICT', 'SPF-PASS', 'DMARC-P'],
    ])
      expect(passed, said(result)).toContain(id);
    const verdict = document.results.find(({ id }) => id === 'DELIVERY-VERDICT');
    expect(verdict?.observed).toMatch(/spf=pass, dkim=pass, dmarc=pass, TLSv1\.[23]/);
    expect(await readFile(junit ?? '', 'utf8')).toContain(
      '<testsuite name="Delivery" tests="7" failures="0"',
    );
    expect(await readFile(html ?? '', 'utf8')).toContain('all is well');

    // Nothing is left of the mailboxes that were made for it, and nobody was taken for an attacker.
    expect((await lists()).stdout).toBe(before);
    expect(
      await shell(
        world,
        "ls -d /run/smtp-setup/checks /var/vmail/*/smtp-setup-check-* 2>/dev/null; systemctl list-units --all --plain --no-legend 'smtp-setup-check-*'; journalctl -q --no-pager -u 'dovecot*' | grep -i 'auth failed' || true",
      ),
    ).toBe('');
    const banned = await shell(
      world,
      "command -v fail2ban-client >/dev/null && fail2ban-client banned | grep -F '198.51.100' || true",
    );
    expect(banned).toBe('');
  });

  it('takes its mailbox away when it is interrupted, and the server does when the client is killed', async () => {
    const there = "until grep -q '^smtp-setup-check-' /etc/smtp-setup/users; do sleep 0.05; done";
    const gone = "grep -c '^smtp-setup-check-' /etc/smtp-setup/users || true";
    const stopped = startCli(world, ['check', 'server', ...flags()], env);
    await shell(world, there);
    stopped.interrupt();
    await stopped.ended;
    expect(await shell(world, gone), stopped.output()).toBe('0');

    const killed = startCli(world, ['check', 'server', ...flags()], env);
    await shell(world, there);
    killed.kill();
    await killed.ended;
    expect(await shell(world, gone)).toBe('1');
    // What the timer will do, now.
    await shell(
      world,
      "timer=$(systemctl list-timers --all --plain --no-legend 'smtp-setup-check-*' | grep -o 'smtp-setup-check-[0-9a-f]*' | head -n 1); systemctl start --wait \"$timer.service\"",
    );
    expect(await shell(world, gone)).toBe('0');
  });

  it('says what to do when a mail is sent to a person', async () => {
    const result = await check('delivery', '--to', `somebody@${receiver.domain}`, '--wait', '1s');
    expect(result.code, said(result)).toBe(0);
    const verbose = await check('delivery', '--to', `nobody@${receiver.domain}`, '--wait', '1s', '--json');
    const { results } = JSON.parse(verbose.stdout) as { results: Finding[] };
    expect(results.find(({ id }) => id === 'DELIVERY-OUT')).toMatchObject({ status: 'fail' });
    expect(results.find(({ id }) => id === 'DELIVERY-VERDICT')?.message).toContain('dmarc=pass');
  });

  describe('a server with a fault', () => {
    const postconf =
      (...settings: string[]) =>
      async () => {
        const quoted = settings.map((setting) => `'${setting}'`).join(' ');
        await shell(world, `postconf -e ${quoted} && postfix reload`);
      };
    const service =
      (...settings: string[]) =>
      async () => {
        const quoted = settings.map((setting) => `'${setting}'`).join(' ');
        await shell(world, `postconf -P ${quoted} && postfix reload`);
      };
    const save =
      'rm -rf /root/good && mkdir /root/good && cp -a /etc/postfix/main.cf /etc/postfix/master.cf /root/good/';
    const restore = 'cp -a /root/good/* /etc/postfix/ && postfix reload';

    interface Fault {
      fault: string;
      /** Where only this program judges, one release is enough; what Postfix or its libraries decide is shown on both. */
      on?: 'debian-12';
      scope?: string[];
      ids: string[];
      fix: RegExp;
      make: () => Promise<void>;
      mend?: () => Promise<void>;
    }
    const faults: Fault[] = [
      {
        fault: 'relays for everybody',
        make: postconf(
          // Postfix refuses to start without reject_unauth_destination, and takes none behind a plain `permit` for one.
          'smtpd_relay_restrictions=check_client_access static:ok, reject_unauth_destination',
          'smtpd_recipient_restrictions=check_client_access static:ok, reject_unauth_destination',
        ),
        ids: ['SMTP-RELAY'],
        fix: /reject_unauth_destination/,
      },
      {
        fault: 'takes logins on port 25',
        make: postconf('smtpd_sasl_auth_enable=yes'),
        ids: ['SMTP-AUTH-25'],
        fix: /smtpd_sasl_auth_enable=no/,
      },
      {
        fault: 'answers VRFY',
        on: 'debian-12',
        make: postconf('disable_vrfy_command=no'),
        ids: ['SMTP-VRFY'],
        fix: /disable_vrfy_command = yes/,
      },
      {
        fault: 'speaks TLS 1.0',
        make: postconf(
          'smtpd_tls_protocols=>=TLSv1',
          'smtpd_tls_mandatory_protocols=>=TLSv1',
          'tls_high_cipherlist=ALL:@SECLEVEL=0',
        ),
        ids: ['TLS-OLD'],
        fix: /smtpd_tls_protocols/,
      },
      {
        fault: 'takes a bare line feed for a line end',
        make: postconf('smtpd_forbid_bare_newline=no'),
        ids: ['SMTP-SMUGGLING'],
        fix: /smtpd_forbid_bare_newline/,
      },
      {
        fault: 'shows a self-signed certificate',
        on: 'debian-12',
        make: async () => {
          await shell(
            world,
            'readlink /etc/smtp-setup/tls >/root/tls && ln -sfnT certs/self-signed /etc/smtp-setup/tls && postfix reload && systemctl reload dovecot',
          );
        },
        mend: async () => {
          await shell(world, 'ln -sfnT "$(cat /root/tls)" /etc/smtp-setup/tls && systemctl reload dovecot');
        },
        ids: ['TLS-CERT'],
        fix: /asks the certificate authority again/,
      },
      {
        fault: 'calls itself something else',
        on: 'debian-12',
        make: postconf('myhostname=vps42.provider.test'),
        ids: ['SMTP-GREETING', 'SMTP-PTR'],
        fix: /myhostname/,
      },
      {
        fault: 'lets a login send as anybody',
        on: 'debian-12',
        scope: ['server'],
        make: service(
          'submission/inet/smtpd_sender_restrictions=permit',
          'submissions/inet/smtpd_sender_restrictions=permit',
        ),
        ids: ['SUBMISSION-SENDER'],
        fix: /reject_authenticated_sender_login_mismatch/,
      },
      {
        fault: 'tells where its users sit',
        on: 'debian-12',
        scope: ['delivery'],
        make: service('submission-cleanup/unix/header_checks='),
        ids: ['DELIVERY-PRIVACY'],
        fix: /header checks/,
      },
    ];

    it.each(faults.filter(({ on = image }) => on === image))(
      'that $fault',
      async ({ scope = ['server', '--as-stranger'], ids, fix, make, mend }) => {
        await shell(world, save);
        await make();
        try {
          const found = await troubleOf(...scope);
          expect(found.ids, JSON.stringify(found.findings, null, 1)).toEqual(ids.map((id) => `${id} fail`));
          for (const finding of found.findings) expect(finding.fix?.text).toMatch(fix);
          expect(found.code).toBe(1);
        } finally {
          await mend?.();
          await shell(world, restore);
        }
      },
    );

    it('or that is on a block list, or whose address has lost its name', async () => {
      const { ipv4, ipv6 } = world.lab.vps;
      const panel = openPanel(world.lab.dns, [ipv4, ...(ipv6 === undefined ? [] : [ipv6])]);
      const reversed = ipv4.split('.').reverse().join('.');
      await world.lab.dns.setRecords(`${reversed}.zen.spamhaus.org`, 'A', ['127.0.0.4'], 60);
      await panel.setPtr(ipv4, 'vps42.provider.test.');
      await world.lab.resolverHost.flush();
      await shell(world, 'systemctl restart unbound');
      const found = await troubleOf('server', '--only', 'BLOCKLIST,SMTP-PTR');
      expect(found.ids).toEqual(['BLOCKLIST fail', 'SMTP-PTR fail']);
      expect(found.findings.map(({ fix }) => fix?.text).join('\n')).toMatch(
        /check\.spamhaus\.org[\s\S]*reverse DNS/,
      );
    });
  });
});
