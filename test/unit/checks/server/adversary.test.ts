import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { blockLists } from '../../../../src/checks/block-lists.js';
import { onBlockLists } from '../../../../src/checks/server/block-lists.js';
import { ehloPtr } from '../../../../src/checks/server/ehlo-ptr.js';
import { runServerChecks, serverChecks } from '../../../../src/checks/server/index.js';
import { intendedPorts } from '../../../../src/checks/server/intended-ports.js';
import { outbound25 } from '../../../../src/checks/server/outbound-25.js';
import { portsClosed, portsOpen } from '../../../../src/checks/server/ports.js';
import type { NameAnswer, ServerTarget } from '../../../../src/checks/server/server-check.js';
import { smuggling } from '../../../../src/checks/server/smuggling.js';
import { tlsVersions } from '../../../../src/checks/server/tls-versions.js';
import { vrfy } from '../../../../src/checks/server/vrfy.js';
import type { Answer, Resolver } from '../../../../src/dns/resolver/types.js';
import type { OutboundTry } from '../../../../src/facts/outbound-smtp.js';
import { parseLookup } from '../../../../src/pipeline/server-lookup.js';
import { serveData, serveRules } from '../../../helpers/scripted-smtp.js';
import { connectPort } from '../../../helpers/smtp-port.js';
import { createTestCa } from '../../../helpers/test-ca.js';

const target: ServerTarget = {
  hostname: 'mail.example.org',
  addresses: ['127.0.0.1'],
  domains: ['example.org'],
  ports: intendedPorts(),
  privateCa: false,
  ehloName: 'checker.invalid',
  timeout: 5000,
  now: Date.parse('2026-11-24T00:00:00Z'),
};
const here = '127.0.0.1';
const statuses = (found: readonly { status: string }[]) => found.map(({ status }) => status);

describe('the registry', () => {
  it('has an id, a reference and a sentence for each check, no id twice', () => {
    expect(new Set(serverChecks.map(({ id }) => id)).size).toBe(serverChecks.length);
    for (const { id, title, ref } of serverChecks) {
      expect(id).toMatch(/^[A-Z0-9]+(-[A-Z0-9]+)*$/);
      expect(title.length).toBeGreaterThan(10);
      expect(ref).not.toBe('');
    }
  });

  it('runs only what its needs are met for, and takes a check that breaks for unknown', async () => {
    const broken = { ...vrfy, id: 'BROKEN', needs: [], run: () => Promise.reject(new Error('odd')) };
    const needy = { ...vrfy, id: 'NEEDY', needs: ['login'] as const, run: async () => [] };
    expect(await runServerChecks(target, [broken, needy])).toMatchObject([
      { id: 'BROKEN', status: 'unknown', message: 'odd', group: 'Server' },
    ]);
  });
});

describe('two addresses', () => {
  it('are knocked at together, whatever the number of checks, and told one after the other', async () => {
    const begun = new Map<string, number>();
    const meeting = (id: string) => {
      let open: () => void = () => undefined;
      const both = new Promise<void>((resolve) => {
        open = resolve;
      });
      const run = async (_: unknown, address: string) => {
        begun.set(id, (begun.get(id) ?? 0) + 1);
        if (begun.get(id) === 2) open();
        await both;
        return [{ status: 'pass' as const, subject: address, message: id }];
      };
      return { ...vrfy, id, needs: [], run };
    };
    const checks = ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map(meeting);
    const found = await runServerChecks({ ...target, addresses: ['192.0.2.1', '192.0.2.2'] }, checks);
    expect(found.map(({ message }) => message).join('')).toBe('ABCDEFGABCDEFG');
  });
});

describe('SMTP-SMUGGLING', () => {
  it('passes where only <CR><LF>.<CR><LF> ends a message', async () => {
    const port = await serveData(/\r\n\.\r\n/);
    expect(await connectPort(port, () => smuggling.run(target, here))).toMatchObject([{ status: 'pass' }]);
  });

  it.each([
    ['<LF>.<LF>', /\n\.\n/],
    ['<LF>.<CR><LF>', /[^\r]\n\.\r\n/],
    ['<CR><LF>.<CR>', /\r\n\.\r(?!\n)/],
    ['<CR>.<CR>', /\r\.\r/],
  ])('fails where %s does, and names it', async (shown, end) => {
    const port = await serveData(end);
    const [verdict] = await connectPort(port, () => smuggling.run(target, here));
    expect(verdict).toMatchObject({
      status: 'fail',
      fix: expect.stringContaining('smtpd_forbid_bare_newline'),
    });
    expect(verdict?.observed).toContain(shown);
  });

  it('is unknown where no message is taken', async () => {
    const port = await serveRules([[/^RCPT/, '450 4.2.0 greylisted']]);
    expect(await connectPort(port, () => smuggling.run(target, here))).toMatchObject([
      { status: 'unknown', observed: expect.stringContaining('450') },
    ]);
  });
});

describe('SMTP-VRFY', () => {
  const ask = async (known: string, unknown: string, expn = '502 5.5.2 no') => {
    const port = await serveRules([
      [/^VRFY postmaster/, known],
      [/^VRFY/, unknown],
      [/^EXPN/, expn],
    ]);
    return connectPort(port, () => vrfy.run(target, here));
  };

  it('passes when it is off, or says the same of all', async () => {
    expect(statuses(await ask('502 5.5.1 off', '502 5.5.1 off'))).toEqual(['pass']);
    expect(statuses(await ask('252 2.0.0 try it', '252 2.0.0 try it'))).toEqual(['pass']);
  });

  it('fails when the answers differ, name somebody, or a list is opened', async () => {
    expect(await ask('252 2.0.0 postmaster', '550 5.1.1 unknown')).toMatchObject([
      { status: 'fail', fix: expect.stringContaining('disable_vrfy_command') },
    ]);
    expect(statuses(await ask('250 Post Master', '250 Somebody'))).toEqual(['fail']);
    expect(statuses(await ask('502 off', '502 off', '250 ada@example.org'))).toEqual(['fail']);
  });
});

describe('PORTS', () => {
  it('are as intended, or the fix says where to look', async () => {
    const port = await serveRules([]);
    expect(statuses(await connectPort(port, () => portsOpen.run(target, here)))).toEqual(
      Array(4).fill('pass'),
    );
    expect(await connectPort(1, () => portsOpen.run(target, here))).toContainEqual(
      expect.objectContaining({ status: 'fail', observed: 'refused' }),
    );
    expect(statuses(await connectPort(1, () => portsClosed.run(target, here)))).toEqual(['pass']);
    const open = await connectPort(port, () => portsClosed.run(target, here));
    expect(open.map(({ subject }) => subject)).toContain('127.0.0.1 port 143');
    expect(open.every(({ status, fix }) => status === 'fail' && fix?.includes('ss -ltnp'))).toBe(true);
  });
});

describe('TLS-OLD', () => {
  const close: (() => void)[] = [];
  afterEach(() => {
    for (const one of close.splice(0)) one();
  });
  const wrapped: ServerTarget = { ...target, ports: [{ port: 465, mode: 'tls' }] };
  async function serveTls(minVersion: 'TLSv1' | 'TLSv1.2'): Promise<number> {
    const ca = createTestCa();
    close.push(ca.close);
    const { cert, key } = ca.issue('mail.example.org');
    const server = createTlsServer({ cert, key, minVersion, ciphers: 'DEFAULT:@SECLEVEL=0' }, (socket) =>
      socket.end(),
    );
    close.push(() => server.close());
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  it('tells a server that takes TLS 1.1 from one that does not', async () => {
    const modern = await serveTls('TLSv1.2');
    expect(await connectPort(modern, () => tlsVersions.run(wrapped, here))).toMatchObject([
      { status: 'pass' },
    ]);
    const old = await serveTls('TLSv1');
    expect(await connectPort(old, () => tlsVersions.run(wrapped, here))).toMatchObject([
      { status: 'fail', observed: 'TLSv1.1', fix: expect.stringContaining('smtpd_tls_protocols') },
    ]);
  });
});

describe('SMTP-PTR', () => {
  const answer = (
    data: Answer['records'][number]['data'] | undefined,
    status: Answer['status'] = 'ok',
  ): Answer => ({
    name: '',
    type: 'A',
    status,
    chain: [],
    records: data ? [{ name: '', ttl: 60, data }] : [],
    ad: false,
    via: 'test',
    level: 'recursive',
  });
  const resolver = (ptr: Answer, forward: Answer): Resolver => ({
    resolve: async (_name, type) => (type === 'PTR' ? ptr : forward),
  });
  const name = answer({ type: 'PTR', target: 'mail.example.org' });
  const back = answer({ type: 'A', address: here });
  const ask = async (ptr: Answer, forward: Answer, ehlo = '250 mail.example.org') => {
    const port = await serveRules([[/^EHLO/, ehlo]]);
    return connectPort(port, () => ehloPtr.run({ ...target, resolver: resolver(ptr, forward) }, here));
  };

  it('passes when all three agree', async () => {
    expect(statuses(await ask(name, back))).toEqual(['pass']);
  });

  it('fails for another name, no name, and a name that leads elsewhere', async () => {
    expect(await ask(name, back, '250 vps42.example.net')).toMatchObject([
      { status: 'fail', fix: expect.stringContaining('myhostname') },
    ]);
    expect(await ask(answer(undefined, 'nxdomain'), back)).toMatchObject([
      { status: 'fail', observed: 'EHLO mail.example.org, PTR none', fix: expect.stringContaining('PTR') },
    ]);
    expect(await ask(name, answer({ type: 'A', address: '192.0.2.9' }))).toMatchObject([
      { status: 'fail', observed: 'mail.example.org: 192.0.2.9' },
    ]);
  });

  it('is unknown when DNS does not answer', async () => {
    expect(statuses(await ask(answer(undefined, 'servfail'), back))).toEqual(['unknown']);
    expect(statuses(await ask(name, answer(undefined, 'timeout')))).toEqual(['unknown']);
  });
});

describe('OUT25', () => {
  const dmi = { vendor: 'Hetzner', product: '', bios: '', board: '', asset: '', cloud: '' };
  const look = (result: OutboundTry['result'], more: Partial<ServerTarget> = {}) => {
    const tried = (family: 4 | 6) => ({ host: 'mx.example.net', family, result, detail: '' });
    const facts = { dmi, outbound: [tried(4), tried(6)] };
    return outbound25.run({ ...target, readOutbound: async () => facts, ...more }, here);
  };

  it.each([
    ['open', 'pass'],
    ['timeout', 'fail'],
    ['refused', 'fail'],
    // No way to them at all, and no name found: nothing is known of port 25.
    ['unreachable', 'unknown'],
    ['unresolved', 'unknown'],
  ] as const)('%s is %s', async (result, status) => {
    expect(await look(result)).toMatchObject([{ status }]);
  });

  it('names the provider’s way out, and is information where a relay carries the mail', async () => {
    const [blocked] = await look('timeout');
    expect(blocked?.fix).toContain('Request unblocking');
    expect(await look('timeout', { relayed: true })).toMatchObject([{ status: 'info' }]);
  });

  it('says nothing in a private network that has no receivers', async () => {
    expect(await look('unresolved', { privateCa: true })).toEqual([]);
  });
});

describe('BLOCKLIST', () => {
  const listed = (...addresses: string[]): NameAnswer => ({ status: 'found', addresses });
  const ask = (
    answers: Readonly<Record<string, NameAnswer>>,
    more: Partial<ServerTarget> = {},
    address = '192.0.2.7',
  ) =>
    onBlockLists.run(
      {
        ...target,
        ...more,
        askFromServer: async (names) =>
          new Map(
            names.map((name) => [
              name,
              answers[name] ??
                (name.startsWith('2.0.0.127.') ? listed('127.0.0.2') : { status: 'absent' as const }),
            ]),
          ),
      },
      address,
    );

  it('passes when every list answers and none lists the address', async () => {
    const found = await ask({});
    expect(statuses(found)).toEqual(['pass']);
    for (const { title } of blockLists) expect(found[0]?.message).toContain(title);
  });

  it('fails for a list that costs delivery, warns for others, with where to be taken off', async () => {
    const found = await ask({
      '7.2.0.192.zen.spamhaus.org': listed('127.0.0.3'),
      '7.2.0.192.psbl.surriel.com': listed('127.0.0.2'),
    });
    expect(found).toMatchObject([
      { status: 'fail', observed: '127.0.0.3', fix: expect.stringContaining('check.spamhaus.org') },
      { status: 'warn' },
      { status: 'pass' },
    ]);
  });

  it('takes a refusal, an error and a list that does not know itself for silence', async () => {
    for (const answer of [listed('127.255.255.254'), { status: 'unknown' } as const])
      expect(statuses(await ask({ '7.2.0.192.zen.spamhaus.org': answer }))).toEqual(['unknown', 'pass']);
    expect(statuses(await ask({ '2.0.0.127.bl.spamcop.net': { status: 'absent' } }))).toEqual([
      'unknown',
      'pass',
    ]);
    expect(
      statuses(await ask({ '2.0.0.127.bl.spamcop.net': { status: 'absent' } }, { privateCa: true })),
    ).toEqual(['pass']);
  });

  it('asks about IPv6 addresses nibble by nibble, and only where lists have them', async () => {
    const name = `${'7.0.0.0.'.padEnd(48, '0.')}8.b.d.0.1.0.0.2.zen.spamhaus.org`;
    const found = await ask({ [name]: listed('127.0.0.2') }, {}, '2001:db8::7');
    expect(statuses(found)).toEqual(['fail']);
  });

  it('reads what the server printed strictly', () => {
    const text =
      'a.example 127.0.0.2 127.0.0.10\nb.example absent\nc.example unknown\nd.example nonsense\n\n';
    expect([...parseLookup(text)]).toEqual([
      ['a.example', { status: 'found', addresses: ['127.0.0.2', '127.0.0.10'] }],
      ['b.example', { status: 'absent' }],
      ['c.example', { status: 'unknown' }],
    ]);
  });
});
