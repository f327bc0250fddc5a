import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import { createComponents } from '../../../src/components/index.js';
import { nothingDone, type ServerModel } from '../../../src/components/model.js';
import { createRenderer } from '../../../src/components/render.js';
import { parseConfig } from '../../../src/config/parse.js';
import { warmup as fact } from '../../../src/facts/warmup.js';
import { stageDelay, stageOn, warmupDay, warmupDays, warmupStages } from '../../../src/lib/warmup.js';
import { releases } from '../../golden/server/releases.js';

const components = createComponents(createRenderer(await loadTemplates()));
const part = components.find(({ id }) => id === 'warmup');
const model: ServerModel = {
  ...(releases['debian-12'] as ServerModel),
  warmup: [
    { name: 'server', domains: ['example.org', 'example.net'], apart: false },
    { name: 'cold.example', domains: ['cold.example'], apart: true },
  ],
};
const fileOf = (path: string, of = model) =>
  components.flatMap((one) => one.files(of)).find((file) => file.path === path)?.content ?? '';

describe('the ramp', () => {
  it('has a stage for every day, each at least as much as the one before', () => {
    for (let day = 1; day <= warmupDays; day += 1) expect(stageOn(day), String(day)).toBeDefined();
    expect(stageOn(warmupDays + 1)).toBeUndefined();
    for (const [index, stage] of warmupStages.entries()) {
      const before = warmupStages[index - 1];
      expect(stage.from).toBe((before?.to ?? 0) + 1);
      expect(stage.perDay).toBeGreaterThan(before?.perDay ?? 0);
      // A whole day at this pace is no more than was said.
      expect(Math.floor(86_400 / stageDelay(stage))).toBeLessThanOrEqual(stage.perDay);
    }
  });

  it('counts days from the first second', () => {
    expect([0, 86_399, 86_400, 10 * 86_400].map((passed) => warmupDay(1000, 1000 + passed))).toEqual([
      1, 1, 2, 11,
    ]);
    // A clock that was set back.
    expect(warmupDay(1000, 0)).toBe(1);
  });
});

describe('the transports', () => {
  it('have the pace of their stage, and a group has its own', () => {
    const main = fileOf('/etc/postfix/main.cf');
    const master = fileOf('/etc/postfix/master.cf');
    expect(main).toContain('warm-server-1_destination_rate_delay = 1728s\n');
    expect(main).toContain(
      'sender_dependent_default_transport_maps = regexp:/etc/postfix/srs_senders, hash:/etc/smtp-setup/warmup/senders\n',
    );
    // What warms up must not end in a table before its own.
    expect(fileOf('/etc/postfix/srs_senders')).toContain(
      'if !/@(example\\.org|example\\.net|cold\\.example)$/\n',
    );
    for (const group of ['server', 'cold.example'])
      for (const index of warmupStages.keys())
        expect(master).toMatch(new RegExp(`^warm-${group}-${index + 1} unix `, 'm'));
    expect(fileOf('/etc/postfix/main.cf', releases['debian-12'])).not.toContain('warm-');
  });

  it('go with the configuration', () => {
    const ended = { ...model, warmup: [], has: { ...nothingDone, warmups: ['server'] } };
    expect(part?.applies(ended)).toBe(true);
    expect(part?.files(ended)).toEqual([]);
    expect(part?.steps(ended).map(({ calls }) => calls)).toEqual([[{ fn: 'warmup_end', args: [] }]]);
    const one = { ...model, has: { ...nothingDone, warmups: ['server', 'gone.example'] } };
    expect(part?.steps(one).map(({ calls }) => calls)).toEqual([
      [{ fn: 'warmup_end', args: ['gone.example'] }],
    ]);
  });
});

describe('the script on the server', () => {
  let base: string;
  let home: string;
  let script: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'warmup-'));
    home = join(base, 'home');
    mkdirSync(home);
    mkdirSync(join(base, 'bin'));
    script = join(base, 'warmup');
    // The place is the server's; everything else is the script as it lies there.
    writeFileSync(
      script,
      fileOf('/usr/local/lib/smtp-setup/warmup')
        .replaceAll('/etc/smtp-setup/warmup', home)
        .replaceAll('/etc/postfix', join(base, 'postfix')),
    );
    for (const name of ['postmap', 'postfix']) {
      writeFileSync(
        join(base, 'bin', name),
        `#!/bin/sh\necho ${name} "$@" >>${base}/called\n[ ${name} = postfix ] || { [ -s "$2/main.cf" ] && : >${home}/senders.db; }\n`,
      );
      chmodSync(join(base, 'bin', name), 0o755);
    }
    mkdirSync(join(base, 'postfix'));
    writeFileSync(join(base, 'postfix', 'main.cf'), 'compatibility_level = 3.6\n');
    for (const group of ['server', 'cold.example']) writeFileSync(join(home, `started-${group}`), '1000\n');
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const run = (day: number) => {
    rmSync(join(base, 'called'), { force: true });
    execFileSync('sh', [script, String(1000 + (day - 1) * 86_400 + 60)], {
      env: { PATH: `${base}/bin:${process.env.PATH}` },
    });
    return readFileSync(join(home, 'senders'), 'utf8');
  };
  const called = () => existsSync(join(base, 'called'));

  it('chooses the stage of the day for each domain', () => {
    expect(run(1)).toBe(
      '@example.org warm-server-1:\n@example.net warm-server-1:\n@cold.example warm-cold.example-1:\n',
    );
    for (const [index, { from, to }] of warmupStages.entries())
      for (const day of [from, to])
        expect(run(day), String(day)).toContain(`@example.org warm-server-${index + 1}:\n`);
  });

  it('lets go in the end; a domain that keeps apart stays apart', () => {
    expect(run(warmupDays + 1)).toBe(`@cold.example warm-cold.example-${warmupStages.length}:\n`);
  });

  it('tells Postfix of a change only', () => {
    run(1);
    expect(called()).toBe(true);
    run(2);
    expect(called()).toBe(false);
    run(3);
    expect(readFileSync(join(base, 'called'), 'utf8')).toMatch(
      /postmap -c \S+\/postfix hash:.*\npostfix status\npostfix reload\n/,
    );
  });

  it('lets one of two that are started at once go first', async () => {
    // Each says where it began and ended its table, and gives the other time to come.
    writeFileSync(
      join(base, 'bin', 'postmap'),
      `#!/bin/sh\necho begin >>${base}/tables\nfor n in 1 2 3 4 5 6 7 8; do env true; done\ncp ${home}/senders ${home}/senders.db || exit\necho end >>${base}/tables\n`,
    );
    for (let round = 1; round <= 5; round += 1) {
      const two = await Promise.allSettled(
        [1, 3].map((day) =>
          promisify(execFile)('sh', [script, String(1000 + day * 86_400)], {
            env: { PATH: `${base}/bin:${process.env.PATH}` },
          }),
        ),
      );
      expect(two.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
      expect(readFileSync(join(home, 'senders'), 'utf8').split('\n')).toHaveLength(4);
    }
    expect(readFileSync(join(base, 'tables'), 'utf8')).toMatch(/^(begin\nend\n)+$/);
  });

  it('makes its table before Postfix has a configuration', () => {
    rmSync(join(base, 'postfix', 'main.cf'));
    run(1);
    expect(existsSync(join(home, 'senders.db'))).toBe(true);
    expect(existsSync(join(home, '.config'))).toBe(false);
  });

  it('leaves what its fact can read', () => {
    run(3);
    const stdout = execFileSync('sh', [
      '-c',
      fact.script.replaceAll('/etc/smtp-setup/warmup', home),
    ]).toString();
    expect(fact.parse({ code: 0, stdout })).toEqual([
      { group: 'cold.example', started: 1000, day: 3 },
      { group: 'server', started: 1000, day: 3 },
    ]);
    expect(fact.parse({ code: 0, stdout: 'x; rm 1 2\nserver abc 1\n' })).toEqual([]);
  });
});

it('is not asked of mail that leaves through a relay', () => {
  const yaml =
    'version: 1\nservers:\n  mail.example.org:\n    ssh: root@x\n    warmup: true\n    relay:\n      provider: sendgrid\ndomains: {}\n';
  expect(() => parseConfig(yaml, 'smtp-setup.yaml')).toThrow(
    expect.objectContaining({ evidence: [expect.stringContaining('leave warmup out')] }),
  );
});
