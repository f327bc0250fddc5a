import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../../src/checks/check.js';
import { compareStatus, parseSnapshot, takeSnapshot } from '../../../../src/checks/status/compare.js';
import { judgeServer, type StatusInput } from '../../../../src/checks/status/judge-server.js';
import { sendingLimits } from '../../../../src/facts/sending-limits.js';
import { updates } from '../../../../src/facts/updates.js';
import { createIo } from '../../../../src/ui/io.js';
import { renderStatus } from '../../../../src/ui/report/status.js';
import { captureStreams } from '../../../helpers/streams.js';

const now = 1_800_000_000;
const unit = (active: string, sub = 'running') => ({ active, sub, enabled: 'enabled' });
const sha256 = 'a'.repeat(64);
const file = (path: string, hash = sha256) =>
  [path, { type: 'file' as const, mode: '0644', owner: 'root:root', sha256: hash, pristine: false }] as const;
const message = (arrived: number, queue = 'deferred') => ({
  id: 'ABCDEF',
  queue,
  arrived,
  size: 1,
  sender: '',
  recipients: [],
});

/** All is well, but for what a case says. */
function input(facts: Partial<StatusInput['facts']> = {}, rest: Partial<StatusInput> = {}): StatusInput {
  return {
    facts: {
      units: new Map([
        ['postfix.service', unit('active', 'exited')],
        ['postfix@-.service', unit('active')],
        ['dovecot.service', unit('active')],
      ]),
      disk: [{ path: '/', size: 20_000, free: 15_000, inodesFree: 100_000, readOnly: false }],
      packages: new Map([['postfix', { version: '3.7.11-0+deb12u1', installed: true, held: false }]]),
      files: new Map([file('/etc/postfix/main.cf')]),
      state: {
        manifest: {
          schema: 1,
          generation: 3,
          files: [
            { path: '/etc/postfix/main.cf', sha256, mode: '0644', owner: 'root:root', group: 'postfix' },
          ],
        },
        generation: 3,
        pending: [],
        runs: [],
      },
      ...facts,
    },
    queue: [],
    updates: { pending: [], refreshed: now - 3600, reboot: false },
    limited: [],
    now,
    ...rest,
  };
}
const judge = (given: StatusInput, id: string) =>
  judgeServer(given)
    .filter((finding) => finding.id === id)
    .map(({ subject, status }) => `${subject} ${status}`);

describe('judgeServer', () => {
  it('finds nothing when all is well', () => {
    expect(judgeServer(input()).filter(({ status }) => status !== 'pass' && status !== 'info')).toEqual([]);
  });

  it.each([
    // Debian 12 and before: the shell, and the instance that does the work.
    [unit('active', 'exited'), unit('active'), 'postfix@-.service pass'],
    [unit('active', 'exited'), unit('failed', 'failed'), 'postfix@-.service fail'],
    [unit('inactive', 'dead'), unit('inactive', 'dead'), 'postfix@-.service fail'],
    // Debian 13: the instance is there for old habits' sake.
    [unit('active'), unit('inactive', 'dead'), 'postfix.service pass'],
    [unit('active'), undefined, 'postfix.service pass'],
    [unit('failed', 'failed'), undefined, 'postfix.service fail'],
  ])('judges the unit that does the work (%#)', (shell, instance, expected) => {
    const units = new Map([
      ['postfix.service', shell],
      ...(instance ? [['postfix@-.service', instance] as const] : []),
    ]);
    expect(judge(input({ units }), 'SRV-UNIT')).toEqual([expected]);
  });

  it.each([
    [{ size: 20_000, free: 1500 }, 'warn'],
    [{ size: 4000, free: 450 }, 'warn'],
    [{ size: 20_000, free: 500 }, 'fail'],
    [{ size: 1000, free: 90 }, 'fail'],
    [{ size: 20_000, free: 9000, readOnly: true }, 'fail'],
    [{ size: 20_000, free: 9000, inodesFree: 10 }, 'fail'],
  ])('a disk %j is %s', (disk, status) => {
    expect(judge(input({ disk: [{ path: '/var', readOnly: false, ...disk }] }), 'SRV-DISK')).toEqual([
      `/var ${status}`,
    ]);
  });

  it.each([
    [[message(now - 60)], 'pass'],
    [[message(now - 5 * 3600)], 'warn'],
    [Array.from({ length: 51 }, () => message(now)), 'warn'],
    [Array.from({ length: 501 }, () => message(now)), 'fail'],
    [Array.from({ length: 501 }, () => message(now, 'hold')), 'pass'],
  ])('queue %# is %s', (queue, status) => {
    expect(judge(input({}, { queue }), 'SRV-QUEUE')).toEqual([`queue ${status}`]);
  });

  it('tells edited and lost files of ours', () => {
    const path = '/etc/postfix/main.cf';
    for (const files of [new Map([file(path, 'b'.repeat(64))]), new Map()])
      expect(judge(input({ files }), 'SRV-FILES')).toEqual([`${path} warn`]);
    const state = { ...input().facts.state, manifest: 'corrupt' as const };
    expect(judge(input({ state }), 'SRV-FILES')).toEqual(['manifest fail']);
  });

  it('tells a run that failed, died or goes on', () => {
    const run = { id: '20260101-install', name: 'install', who: 'a@b pid 1' };
    const base = { ...input().facts.state };
    const result = {
      run: 'install',
      code: 1,
      generation: 3,
      changed: true,
      step: 2,
      stepId: 's',
      boot: '',
      finished: 1,
      message: 'no',
    };
    expect(judge(input({ state: { ...base, runs: [{ ...run, result }] } }), 'SRV-RUN')).toEqual([
      'runs warn',
    ]);
    expect(judge(input({ state: { ...base, runs: [run] } }), 'SRV-RUN')).toEqual(['runs warn']);
    expect(judge(input({ state: { ...base, pending: ['postfix'] } }), 'SRV-RUN')).toEqual(['runs warn']);
    expect(judge(input({ state: { ...base, running: run, runs: [run] } }), 'SRV-RUN')).toEqual(['runs info']);
  });

  it('names who has reached the sending limit', () => {
    expect(judge(input(), 'SRV-LIMIT')).toEqual(['sending limits pass']);
    const found = judgeServer(input({}, { limited: ['shop@example.org'] })).find(
      ({ id }) => id === 'SRV-LIMIT',
    );
    expect(found).toMatchObject({ status: 'warn', message: 'Told to come later: shop@example.org' });
    expect(
      sendingLimits.parse({
        code: 0,
        stdout:
          'smtp-setup:tripped:shop@example.org\nsmtp-setup:tripped:@example.net\nsmtp-setup:tripped:smtp-setup-probe@limit.invalid\nsmtp-setup:sent:a@example.org:day\nCould not connect\n',
      }),
    ).toEqual(['@example.net', 'shop@example.org']);
  });

  it('tells security updates, old lists, and a reboot that is due', () => {
    const pending = [{ name: 'libssl3', from: '1', to: '2', security: true }];
    const judgeUpdates = (state: Partial<StatusInput['updates']>) =>
      judge(input({}, { updates: { ...input().updates, ...state } }), 'SRV-UPDATES');
    expect(judgeUpdates({ pending })).toEqual(['packages warn']);
    expect(judgeUpdates({ pending: [{ ...pending[0], security: false } as never] })).toEqual([
      'packages pass',
    ]);
    expect(judgeUpdates({ refreshed: now - 30 * 86_400 })).toEqual(['packages warn']);
    expect(judgeUpdates({ pending: undefined })).toEqual(['packages unknown']);
    expect(judge(input({}, { updates: { ...input().updates, reboot: true } }), 'SRV-REBOOT')).toEqual([
      'system warn',
    ]);
  });
});

describe('updates', () => {
  it('reads what apt would do', () => {
    const stdout = `@refreshed 1795499000
@reboot
Reading package lists...
Inst libssl3 [3.0.15-1~deb12u1] (3.0.16-1~deb12u1 Debian-Security:12/stable-security [amd64])
Inst base-files [12.4+deb12u9] (12.4+deb12u10 Debian:12.10/stable [amd64])
Inst linux-image-amd64 (6.1 Debian-Security:12/stable-security [amd64])
Conf libssl3 (3.0.16-1~deb12u1 Debian-Security:12/stable-security [amd64])
@complete
`;
    expect(updates.parse({ code: 0, stdout })).toEqual({
      pending: [
        { name: 'libssl3', from: '3.0.15-1~deb12u1', to: '3.0.16-1~deb12u1', security: true },
        { name: 'base-files', from: '12.4+deb12u9', to: '12.4+deb12u10', security: false },
      ],
      refreshed: 1795499000,
      reboot: true,
    });
    expect(updates.parse({ code: 127, stdout: '' })).toEqual({
      pending: undefined,
      refreshed: 0,
      reboot: false,
    });
  });
});

describe('compareStatus', () => {
  const finding = (id: string, status: Finding['status'], text = ''): Finding => {
    return { id, status, title: `title ${id}`, subject: 's', message: text };
  };
  const changes = (last: readonly Finding[] | undefined, next: readonly Finding[]) => {
    const { changed, gone } = compareStatus(next, last === undefined ? undefined : takeSnapshot(last, 1));
    return [
      ...changed.map(({ finding: { id }, before }) => `${id} ${before ?? 'new'}`),
      ...gone.map((key) => `${key} gone`),
    ];
  };

  it('tells what became better or worse, and no figure that only moved', () => {
    expect(changes([finding('A', 'pass', '1 MiB')], [finding('A', 'pass', '2 MiB')])).toEqual([]);
    expect(changes([finding('A', 'pass')], [finding('A', 'fail')])).toEqual(['A pass']);
    expect(changes([finding('A', 'fail')], [finding('A', 'pass')])).toEqual(['A fail']);
    expect(changes([finding('A', 'warn')], [])).toEqual(['A s gone']);
    expect(changes([finding('A', 'pass')], [])).toEqual([]);
    expect(changes([], [finding('A', 'pass'), finding('B', 'warn')])).toEqual(['B new']);
    expect(changes(undefined, [finding('A', 'pass'), finding('B', 'fail')])).toEqual(['B new']);
  });

  it('tells a new version', () => {
    const version = (text: string) => [finding('SRV-VERSION', 'info', text)];
    expect(changes(version('1'), version('2'))).toEqual(['SRV-VERSION info']);
    expect(changes(version('1'), version('1'))).toEqual([]);
  });

  it('is remembered as written, and anything else is as good as nothing', () => {
    const snapshot = takeSnapshot([finding('A', 'fail'), finding('SRV-VERSION', 'info', '1')], 5);
    expect(parseSnapshot(JSON.stringify(snapshot))).toEqual(snapshot);
    for (const text of ['', '[]', 'null', '{"schema":2}', '{"schema":1,"time":1,"items":null}'])
      expect(parseSnapshot(text)).toBeUndefined();
    expect(parseSnapshot('{"schema":1,"time":1,"items":{"A":{"status":"great"},"B":1}}')?.items).toEqual({});
  });

  it('prints nothing for cron when nothing changed, and what changed first otherwise', () => {
    const io = createIo(captureStreams(), {}, { noColor: true });
    const findings = [finding('A', 'pass'), finding('B', 'fail', 'evil \u001b[31m')];
    const view = (last: readonly Finding[] | undefined) => ({
      hostname: 'mail.example.org',
      findings,
      comparison: compareStatus(findings, last === undefined ? undefined : takeSnapshot(last, 1)),
      lastTime: last === undefined ? undefined : 1,
    });
    expect(renderStatus(io, view(findings), true)).toBe('');
    const text = renderStatus(io, view([finding('A', 'pass'), finding('B', 'pass')]), true);
    expect(text).toContain('title B: s  (was well)');
    expect(text).not.toContain('\u001b');
    expect(renderStatus(io, view(findings), false)).toContain('As before');
  });
});

it('tells where a warm-up stands', () => {
  const shown = (day: number) =>
    judgeServer(input({ warmup: [{ group: 'server', started: 0, day }] })).find(
      ({ id }) => id === 'SRV-WARMUP',
    )?.message;
  expect(shown(4)).toBe('Day 4 of 30: 100 messages a day to each destination, until day 4; then 200.');
  expect(shown(30)).toMatch(/then as they come\.$/);
  expect(shown(31)).toBe('It ended with day 30.');
});
