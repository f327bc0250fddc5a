import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import type { Finding } from '../../src/checks/check.js';
import type { StoredRecord } from '../../src/sandbox/cloudflare/stored-record.js';
import { addRecords, callZone, oddRecords } from '../helpers/cloudflare-zone.js';
import { schemaErrors } from '../helpers/json-schema.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

/** A server that init has just set up, in a zone of a thousand records of other people. */
let world: World;
let domain = '';
let hostname = '';
let foreign: StoredRecord[] = [];
let firstInit: CliResult;

beforeAll(async () => {
  world = await openProvisioned('e2e-dns');
  ({ domain } = world.lab);
  ({ hostname } = world.rehearsal);
  // Another provider, whose mail server and SPF record others point to.
  await world.lab.dns.addZone('partner.test', {
    records: [
      '_spf.partner.test. 300 TXT "v=spf1 ip4:198.51.100.78 -all"',
      'mx.partner.test. 300 A 198.51.100.78',
    ],
  });
  await addRecords(world, domain, oddRecords(domain, 1000));
  foreign = await records();
  firstInit = await world.cli(world.rehearsal.initArguments);
});
afterAll(() => world?.lab.down());

const control = () => world.rehearsal.cloudflare.control;
const records = (zone = domain) => control().records(zone);
const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
const { parse } = JSON;

function expectExit(result: CliResult, code: number): CliResult {
  expect(result.code, said(result)).toBe(code);
  return result;
}

async function checkDns(...more: string[]): Promise<CliResult & { findings: Finding[] }> {
  await world.lab.resolverHost.flush();
  const { configFile } = world.rehearsal;
  const args = ['check', 'dns', '--config', configFile, '--resolver', world.lab.resolver, '--json', ...more];
  // No token: what the check needs is in the configuration and its lock file.
  const result = await world.cli(args, { env: { CLOUDFLARE_API_TOKEN: '' } });
  const { results = [] } = parse(result.stdout) as { results?: Finding[] };
  return { ...result, findings: results };
}
const failing = (findings: readonly Finding[]) => findings.filter(({ status }) => status === 'fail');
const apply = (...more: string[]) => world.cliWithFlags('apply', ['--yes', '--json', ...more]);
const undo = () =>
  world.cli([
    'undo',
    'dns',
    '--config',
    world.rehearsal.configFile,
    '--resolver',
    world.lab.resolver,
    '--yes',
  ]);

/** The records of other people, as they stand now: the same ids, values, comments and times. */
async function others(): Promise<StoredRecord[]> {
  const ids = new Set(foreign.map(({ id }) => id));
  return (await records()).filter(({ id }) => ids.has(id));
}

describe('in a zone of a thousand records of odd shapes', () => {
  it('init adds its own and leaves every other byte as it was', async () => {
    expectExit(firstInit, 0);
    expect(foreign).toHaveLength(1000);
    expect(await others()).toEqual(foreign);
    expect((await records()).length).toBeGreaterThan(1000 + 8);
  });

  it('check dns then has nothing to complain about, without SSH or token', async () => {
    const report = await checkDns();
    const bad = report.findings.filter(({ status }) => ['fail', 'unknown'].includes(status));
    expect(bad).toEqual([]);
    expect(report.code).toBe(0);
    const schema = parse(await readFile('schemas/check-report.schema.json', 'utf8')) as unknown;
    expect(schemaErrors(schema, parse(report.stdout))).toEqual([]);
  });

  it('check dns writes JUnit and a page for a browser, and speaks to GitHub', async () => {
    const { home } = world.rehearsal;
    const [junit, html, summary] = ['report.xml', 'report.html', 'summary.md'].map((name) =>
      join(home, name),
    );
    const args = ['check', 'dns', '--config', world.rehearsal.configFile, '--resolver', world.lab.resolver];
    const result = await world.cli([...args, '--junit', junit ?? '', '--html', html ?? ''], {
      env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary ?? '' },
    });
    expectExit(result, 0);
    expect(result.stdout).toContain('SPF');
    expect(await readFile(junit ?? '', 'utf8')).toMatch(/^<\?xml[\s\S]*<testsuite [\s\S]*<\/testsuites>\s*$/);
    expect(await readFile(html ?? '', 'utf8')).toMatch(/^<!doctype html>/i);
    expect(await readFile(summary ?? '', 'utf8')).toContain('|');
  });
});

interface Break {
  what: string;
  /** Which of our records. */
  find: (record: StoredRecord) => boolean;
  /** New content; left out, the record is deleted. */
  content?: string;
  /** The check that names it. */
  id: string;
}

const named = (type: string, label: string) => (record: StoredRecord) =>
  record.type === type && record.name === (label === '' ? domain : `${label}.${domain}`);
const spf = (label: string) => (record: StoredRecord) =>
  named('TXT', label)(record) && record.content.startsWith('"v=spf1');

const breaks: Break[] = [
  { what: 'the address of the host', find: named('A', 'mail'), id: 'HOST-A' },
  {
    what: 'the address of the host, changed',
    find: named('A', 'mail'),
    content: '198.51.100.250',
    id: 'HOST-A',
  },
  { what: 'the SPF record of the host', find: spf('mail'), id: 'SPF-PASS' },
  { what: 'the SPF record', find: spf(''), id: 'SPF-MISSING' },
  {
    what: 'the SPF record, spoilt',
    find: spf(''),
    content: '"v=spf1 ip4:198.51.100 -all"',
    id: 'SPF-SYNTAX',
  },
  { what: 'the DKIM key', find: (record) => record.content.includes('v=DKIM1'), id: 'DKIM-KEY' },
  {
    what: 'the DKIM key, revoked',
    find: (record) => record.content.includes('v=DKIM1'),
    content: '"v=DKIM1; k=rsa; p="',
    id: 'DKIM-REVOKED',
  },
  { what: 'the DMARC record', find: named('TXT', '_dmarc'), id: 'DMARC-ONE' },
  { what: 'the MX', find: named('MX', ''), id: 'MX-EXISTS' },
  { what: 'a service that is offered', find: named('SRV', '_imaps._tcp'), id: 'SRV' },
  { what: 'a service that is not', find: named('SRV', '_pop3._tcp'), id: 'RECORD' },
];

describe('each record broken in turn', () => {
  it.each(breaks)('$what: $id says so, apply repairs it and nothing else', async ({ find, content, id }) => {
    const before = await records();
    const [broken, second] = before.filter(find);
    expect(second).toBeUndefined();
    const path = `/dns_records/${broken?.id}`;
    await callZone(world, domain, [
      content === undefined
        ? { method: 'DELETE', path }
        : { method: 'PATCH', path, body: { type: broken?.type, name: broken?.name, content } },
    ]);

    const report = await checkDns();
    expect(report.code).toBe(1);
    // SPF is judged once for each address.
    expect([...new Set(failing(report.findings).map((finding) => finding.id))]).toEqual([id]);
    const [finding] = failing(report.findings);
    if (content === undefined) expect(finding?.fix?.text).toMatch(/^Add this /);
    expect(finding?.fix?.record?.name).toBe(broken?.name);
    // What stood there, to be copied.
    const value = broken?.data?.target ?? broken?.content.replace(/^"|"$/g, '').replace(/" "/g, '');
    expect(Object.values(finding?.fix?.record?.data ?? {})).toContain(value === '.' ? '' : value);

    await control().clearCalls();
    expectExit(await apply(), 0);
    const after = await records();
    const shape = ({ type, name, content: value, priority, data, ttl, comment }: StoredRecord) =>
      JSON.stringify({ type, name, value, priority, data, ttl, comment });
    expect(after.map(shape).sort()).toEqual(before.map(shape).sort());
    expect(
      after.filter((one) => one.id !== broken?.id && before.every((old) => old.id !== one.id)).length,
    ).toBe(content === undefined ? 1 : 0);
    const untouched = (all: StoredRecord[]) =>
      all.filter((one) => one.id !== broken?.id && before.some((old) => old.id === one.id));
    expect(untouched(after)).toEqual(untouched(before));
    expect(await control().writeCount()).toBe(1);
    expectExit(await checkDns(), 0);
  });
});

describe('a proxy in front of the mail host', () => {
  it('stops an apply, and goes when that is allowed', async () => {
    const before = await records();
    const host = before.find(named('A', 'mail'));
    const proxied = async () => (await records()).filter((record) => record.proxied === true).length;
    const path = `/dns_records/${host?.id}`;
    const standing = await proxied();
    await callZone(world, domain, [{ method: 'PATCH', path, body: { proxied: true } }]);
    await control().clearCalls();
    const stopped = expectExit(await apply(), 2);
    expect(parse(stopped.stdout)).toMatchObject({ error: { code: 'E_HOST_PROXIED' } });
    expect(stopped.stdout).toContain('--allow-unproxy');
    expect(await control().writeCount()).toBe(0);
    expectExit(await apply('--allow-unproxy'), 0);
    expect(await proxied()).toBe(standing);
    expect((await records()).find(({ id }) => id === host?.id)).toMatchObject({
      proxied: false,
      content: host?.content,
    });
    expect(parse(expectExit(await apply(), 0).stdout)).toMatchObject({ changed: false });
  });
});

describe('undo dns', () => {
  it('restores the zone to its first state, and apply brings it back', async () => {
    const ours = (await records()).length;
    expectExit(await undo(), 0);
    expect(await records()).toEqual(foreign);
    expectExit(await undo(), 0);
    expect(await records()).toEqual(foreign);
    expectExit(await apply(), 0);
    expect((await records()).length).toBe(ours);
    expect(await others()).toEqual(foreign);
  });
});

/** A further domain at the same provider, with the records that stand there already. */
async function addDomain(name: string, ...standing: Record<string, unknown>[]): Promise<StoredRecord[]> {
  await world.lab.dns.addZone(name, { nameServers: ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'] });
  await control().addZone({ name });
  for (const record of standing) await control().seed(name, record);
  await control().clearCalls();
  return records(name);
}

/** `init` of a further domain of the same server. */
async function initDomain(
  name: string,
  ...more: string[]
): Promise<CliResult & { error?: { code: string; fix: string[] } }> {
  const args = world.rehearsal.initArguments.map((word, index, all) => {
    if (all[index - 1] === '--domain') return name;
    return all[index - 1] === '--mailbox' ? `ada@${name}` : word;
  });
  const result = await world.cli([...args, '--json', ...more]);
  const { error } = parse(result.stdout) as { error?: { code: string; fix: string[] } };
  return { ...result, ...(error === undefined ? {} : { error }) };
}

async function editConfig(edit: (document: ReturnType<typeof parseDocument>) => void): Promise<void> {
  const { configFile } = world.rehearsal;
  const document = parseDocument(await readFile(configFile, 'utf8'));
  edit(document);
  await writeFile(configFile, document.toString());
}

const contents = async (zone: string, type: string, name = zone) =>
  (await records(zone))
    .filter((record) => record.type === type && record.name === name)
    .map(({ content }) => content);

describe('a domain whose SPF record stands there', () => {
  const name = 'spf.test';
  const standing = '"v=spf1 include:_spf.partner.test ip4:198.51.100.77 ~all"';

  it('is stopped at without --allow-update, and merged with it', async () => {
    const [before] = await addDomain(name, {
      type: 'TXT',
      name,
      content: standing,
      ttl: 600,
      comment: 'marketing',
    });
    const stopped = await initDomain(name);
    expectExit(stopped, 2);
    expect(stopped.error?.code).toBe('E_DNS_NEEDS_UPDATE');
    expect(await control().writeCount()).toBe(0);
    expectExit(await initDomain(name, '--allow-update'), 0);
    const [after, ...more] = (await records(name)).filter(spfOf(name));
    expect(more).toEqual([]);
    expect(after).toEqual({
      ...before,
      content: `"v=spf1 include:_spf.partner.test ip4:198.51.100.77 a:${hostname} ~all"`,
      modifiedOn: after?.modifiedOn,
    });
    const report = await checkDns('--domain', name);
    expect(failing(report.findings)).toEqual([]);
  });
});
const spfOf = (name: string) => (record: StoredRecord) =>
  record.type === 'TXT' && record.name === name && record.content.startsWith('"v=spf1');

const partnerMx = (name: string, ttl: number) => ({
  type: 'MX',
  name,
  content: 'mx.partner.test',
  priority: 1,
  ttl,
});

describe('a domain whose mail goes elsewhere and stays there', () => {
  const name = 'keep.test';

  it('is stopped at', async () => {
    const before = await addDomain(name, partnerMx(name, 3600));
    const stopped = await initDomain(name);
    expectExit(stopped, 2);
    expect(stopped.error?.code).toBe('E_MX_FOREIGN');
    expect(stopped.error?.fix.join('\n')).toMatch(/send-only[\s\S]*--take-over-mx/);
    expect(await records(name)).toEqual(before);
  });

  it('is only sent for when the configuration says so: nothing that users of the other server need is changed', async () => {
    const before = await records(name);
    await editConfig((document) =>
      document.setIn(['domains', name], { dns: 'cloudflare', mail: 'send-only' }),
    );
    expectExit(await apply(), 0);
    const after = await records(name);
    expect(after.filter(({ id }) => before.some((old) => old.id === id))).toEqual(before);
    const added = after.filter(({ id }) => before.every((old) => old.id !== id));
    expect(added.map((record) => record.name.replace(`.${name}`, '')).sort()).toEqual([
      '_dmarc',
      name,
      expect.stringMatching(/^s\d{6}\._domainkey$/),
    ]);
    expect(await contents(name, 'TXT', `_dmarc.${name}`)).toEqual([expect.stringContaining('p=none')]);
    const report = await checkDns('--domain', name);
    expect(failing(report.findings)).toEqual([]);
    // Mail to colleagues must leave for the other server instead of being looked for here.
    expect(await shell(world, 'postconf -h virtual_mailbox_domains')).not.toContain(name);
    expect(await shell(world, 'cat /etc/smtp-setup/domains')).toContain(name);
  });
});

describe('a domain whose mail is taken over', () => {
  const name = 'move.test';
  const recipients = (...locals: string[]) => locals.map((local) => `${local}@${name}`).join(',');

  it('is left alone while somebody who gets mail has no mailbox here', async () => {
    const before = await addDomain(name, partnerMx(name, 3600));
    const refused = await initDomain(name, '--take-over-mx', recipients('ada', 'eve'));
    expectExit(refused, 2);
    expect(refused.error?.code).toBe('E_MX_RECIPIENTS');
    expect(said(refused)).toContain(`eve@${name}`);
    expect(await control().writeCount()).toBe(0);
    expect(await records(name)).toEqual(before);
  });

  it('first has the TTL of its MX lowered, and is told when to come back', async () => {
    const waiting = await initDomain(name, '--take-over-mx', recipients('ada'));
    expectExit(waiting, 1);
    expect(waiting.error?.code).toBe('E_UNFINISHED');
    expect(said(waiting)).toMatch(
      /Caches hold the old MX of move\.test[\s\S]*UTC on, in (5[5-9]|60) minutes/,
    );
    expect((await records(name)).filter(({ type }) => type === 'MX')).toMatchObject([
      { content: 'mx.partner.test', ttl: 300 },
    ]);
    expect(await contents(name, 'TXT', `_dmarc.${name}`)).toHaveLength(1);
  });

  it('answers 450 to unknown recipients meanwhile', async () => {
    expect(await shell(world, 'postconf -h unknown_virtual_mailbox_reject_code')).toBe('450');
    const { configFile } = world.rehearsal;
    expect(await readFile(configFile, 'utf8')).toContain('unknownRecipients: defer');
  });

  it('is moved once the caches have run out, with no second MX beside ours', async () => {
    // An hour passes for the journal.
    const journal = join(world.rehearsal.home, 'state', 'smtp-setup', 'dns', name, 'journal.jsonl');
    const text = await readFile(journal, 'utf8');
    await writeFile(
      journal,
      text.replace(
        /"at":"([^"]+)"/g,
        (_, at: string) => `"at":"${new Date(Date.parse(at) - 3_600_000).toISOString()}"`,
      ),
    );
    const done = await apply('--take-over-mx', recipients('ada'));
    expectExit(done, 0);
    expect((await records(name)).filter(({ type }) => type === 'MX')).toMatchObject([
      { content: hostname, priority: 10 },
    ]);
    expect(said(done)).toContain('unknownRecipients: reject');
    expect(failing((await checkDns('--domain', name)).findings)).toEqual([]);
  });

  it('refuses unknown recipients again when the configuration says so', async () => {
    await editConfig((document) => document.setIn(['servers', hostname, 'unknownRecipients'], 'reject'));
    expectExit(await apply(), 0);
    expect(await shell(world, 'postconf -h unknown_virtual_mailbox_reject_code')).toBe('550');
  });
});
