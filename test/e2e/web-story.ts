import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Receiver } from '../../src/sandbox/receiver/index.js';
import { shell, type World } from '../helpers/world.js';

/** What the world's programs get over HTTPS and from signed DNS: asked by curl, Python and Postfix at the receiver. */
export function tellWebStory(story: { world(): World; receiver(): Receiver }): void {
  const { world, receiver } = story;
  const ca = '/lab/roots.pem';

  async function fetchAs(host: string, path: string, ...more: string[]): Promise<string> {
    const { labHost } = receiver();
    await writeFile(join(labHost.root, ca), await world().lab.acme.roots());
    // Names, chain and addresses are curl's own business; DNS is the lab's.
    const argv = [
      'curl',
      '--silent',
      '--show-error',
      '--fail',
      '--cacert',
      ca,
      ...more,
      `https://${host}${path}`,
    ];
    const result = await labHost.exec(argv);
    expect(result.code, `${argv.join(' ')}\n${result.stderr}`).toBe(0);
    return result.stdout;
  }

  /** Runs the program on what was fetched; it prints one JSON value. */
  async function parse(text: string, program: string): Promise<unknown> {
    const result = await receiver().labHost.exec(['python3', '-c', program], { input: text });
    expect(result.code, result.stderr).toBe(0);
    return JSON.parse(result.stdout);
  }

  const readXml = (...path: string[]) =>
    [
      'import json, sys, xml.etree.ElementTree as tree',
      'def plain(e): return [e.tag.split("}")[-1], {**e.attrib}, [plain(c) for c in e] or (e.text or "").strip()]',
      `found = [plain(e) for e in tree.fromstring(sys.stdin.buffer.read()).iterfind(${JSON.stringify(`./${path.join('/')}`)})]`,
      'print(json.dumps(found))',
    ].join('\n');

  it('serves the MTA-STS policy that DNS announces', async () => {
    const { domain } = world().lab;
    const shown = ['--write-out', '\n%{http_code} %{content_type} %{num_redirects}'];
    const text = await fetchAs(`mta-sts.${domain}`, '/.well-known/mta-sts.txt', ...shown);
    expect(text).toBe(
      `version: STSv1\nmode: testing\nmx: ${world().rehearsal.hostname}\nmax_age: 86400\n\n200 text/plain 0`,
    );
    const { labHost } = receiver();
    const dig = async (type: string, name: string) =>
      (await labHost.exec(['dig', '+short', type, name])).stdout.trim();
    expect(await dig('TXT', `_mta-sts.${domain}`)).toMatch(/^"v=STSv1; id=[a-f0-9]{32}"$/);
    expect(await dig('TXT', `_smtp._tls.${domain}`)).toBe(`"v=TLSRPTv1; rua=mailto:postmaster@${domain}"`);
  });

  it.each(['/mail/config-v1.1.xml', '/.well-known/autoconfig/mail/config-v1.1.xml'])(
    'gives Thunderbird its settings at %s',
    async (path) => {
      const { domain } = world().lab;
      const query = `?emailaddress=ada%40${domain}`;
      const text = await fetchAs(`autoconfig.${domain}`, `${path}${query}`);
      const server = (type: string, kind: string, port: string, socket: string) => [
        `${kind}Server`,
        { type },
        [
          ['hostname', {}, world().rehearsal.hostname],
          ['port', {}, port],
          ['socketType', {}, socket],
          ['authentication', {}, 'password-cleartext'],
          ['username', {}, '%EMAILADDRESS%'],
        ],
      ];
      expect(await parse(text, readXml('emailProvider', '*'))).toEqual([
        ['domain', {}, domain],
        ['displayName', {}, domain],
        ['displayShortName', {}, domain],
        server('imap', 'incoming', '993', 'SSL'),
        server('smtp', 'outgoing', '465', 'SSL'),
        server('smtp', 'outgoing', '587', 'STARTTLS'),
      ]);
    },
  );

  it.each([
    '/autodiscover/autodiscover.xml',
    '/Autodiscover/Autodiscover.xml',
    '/AutoDiscover/AutoDiscover.xml',
  ])('gives Outlook its settings at %s', async (path) => {
    const { domain } = world().lab;
    const schema = 'http://schemas.microsoft.com/exchange/autodiscover/outlook';
    const request = `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="${schema}/requestschema/2006"><Request><EMailAddress>ada@${domain}</EMailAddress><AcceptableResponseSchema>${schema}/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`;
    const posted = ['--header', 'Content-Type: text/xml', '--data', request];
    const text = await fetchAs(`autodiscover.${domain}`, path, ...posted);
    const protocols = await parse(text, readXml('', `{${schema}/responseschema/2006a}Protocol`));
    const values = (protocols as [string, object, [string, object, string][]][]).map(([, , fields]) =>
      Object.fromEntries(fields.map(([tag, , value]) => [tag, value])),
    );
    const common = { Server: world().rehearsal.hostname, LoginName: `ada@${domain}`, SSL: 'on', SPA: 'off' };
    expect(values).toMatchObject([
      { Type: 'IMAP', Port: '993', ...common },
      { Type: 'SMTP', Port: '465', ...common },
    ]);
  });

  it('gives Apple’s devices a profile', async () => {
    const { domain } = world().lab;
    const typed = ['--write-out', '%{stderr}%{content_type}'];
    const text = await fetchAs(`autoconfig.${domain}`, `/apple.mobileconfig?email=ada%40${domain}`, ...typed);
    const program = 'import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
    const host = world().rehearsal.hostname;
    const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await parse(text, program)).toMatchObject({
      PayloadType: 'Configuration',
      PayloadVersion: 1,
      PayloadUUID: uuid,
      PayloadContent: [
        {
          PayloadType: 'com.apple.mail.managed',
          PayloadUUID: uuid,
          EmailAccountType: 'EmailTypeIMAP',
          EmailAddress: `ada@${domain}`,
          IncomingMailServerHostName: host,
          IncomingMailServerPortNumber: 993,
          IncomingMailServerUseSSL: true,
          IncomingMailServerUsername: `ada@${domain}`,
          OutgoingMailServerHostName: host,
          OutgoingMailServerPortNumber: 465,
          OutgoingMailServerUseSSL: true,
          OutgoingMailServerUsername: `ada@${domain}`,
        },
      ],
    });
  });

  it('shows nothing of a website for the host itself', async () => {
    const { labHost } = receiver();
    const host = world().rehearsal.hostname;
    const page = ['curl', '--silent', '--insecure', '--output', '/dev/null', '--write-out', '%{http_code}'];
    expect((await labHost.exec([...page, `https://${host}/`])).stdout).toBe('000');
    expect((await labHost.exec([...page, `http://${host}/`])).stdout).toBe('404');
  });

  it('is verified by DANE, and only with the key that DNS announces', async () => {
    const { labHost } = receiver();
    const { domain } = world().lab;
    const argv = ['posttls-finger', '-c', '-l', 'dane-only', '-L', 'summary', domain];
    const seen = await labHost.exec(argv);
    expect(seen.stdout + seen.stderr).toMatch(/Verified TLS connection established to \S+:25/);
    const records = (await labHost.exec(['dig', '+short', 'TLSA', `_25._tcp.${world().rehearsal.hostname}`]))
      .stdout;
    const digests = records.trim().split('\n');
    // The key in use, and the next one long before it is used.
    expect(digests).toHaveLength(2);
    for (const digest of digests) expect(digest).toMatch(/^3 1 1 [0-9A-F ]{64,66}$/);
    const served = (data: string) =>
      labHost.exec(
        [
          ...['openssl', 's_client', '-starttls', 'smtp', '-connect', `${world().lab.vps.ipv4}:25`],
          ...[
            '-dane_tlsa_domain',
            world().rehearsal.hostname,
            '-dane_tlsa_rrdata',
            data,
            '-verify_return_error',
          ],
        ],
        { input: 'QUIT\r\n' },
      );
    const fits = await Promise.all(
      digests.map(async (data) => /Verification: OK/.test((await served(data)).stdout)),
    );
    expect(fits.sort()).toEqual([false, true]);
  });

  it('passes its own checks of all that', async () => {
    const { configFile, connectFlags } = world().rehearsal;
    const resolver = connectFlags.slice(
      connectFlags.indexOf('--resolver'),
      connectFlags.indexOf('--resolver') + 2,
    );
    const expectPass = async (what: string, ids: readonly string[], ...more: string[]) => {
      const args = [
        'check',
        what,
        '--config',
        configFile,
        ...resolver,
        '--only',
        ids.join(','),
        '--json',
        ...more,
      ];
      const done = await world().cli(args);
      expect(done.code, done.stdout + done.stderr).toBe(0);
      const { results } = JSON.parse(done.stdout) as {
        results: { id: string; status: string; message: string }[];
      };
      for (const id of ids) {
        const own = results.filter((result) => result.id === id);
        expect(own.length, id).toBeGreaterThan(0);
        for (const { status, message } of own) expect(status, `${id}: ${message}`).toBe('pass');
      }
    };
    const records = ['AUTOCFG', 'STS-TXT', 'STS-MX', 'TLSRPT'];
    const dane = ['DANE-EXISTS', 'DANE-MATCH', 'DANE-UNSIGNED', 'DANE-USAGE'];
    await expectPass('dns', [...records, ...dane], '--smtp');
    await expectPass(
      'server',
      ['WEB-AUTOCONFIG', 'WEB-AUTODISCOVER', 'WEB-MTA-STS', 'WEB-CERT'],
      '--as-stranger',
    );
  });

  it('is as planned after a renewal, too, with the same keys', async () => {
    const state = async () => ({
      served: await shell(world(), 'readlink /etc/smtp-setup/tls /etc/smtp-setup/web/*/tls'),
      keys: await shell(
        world(),
        'sha256sum </etc/smtp-setup/tls/privkey.pem; sha256sum /etc/smtp-setup/web/*/tls/privkey.pem',
      ),
    });
    const before = await state();
    const trusted = 'REQUESTS_CA_BUNDLE=/etc/smtp-setup/acme-ca.pem';
    await shell(world(), `${trusted} certbot renew --quiet --force-renewal --no-random-sleep-on-renew`);
    const after = await state();
    expect(after.served).not.toBe(before.served);
    expect(after.keys).toBe(before.keys);
    const plan = await world().cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
  });
}
