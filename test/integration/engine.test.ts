import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VpsImage } from '../../src/sandbox/index.js';
import type { SpecComponent } from '../helpers/engine-client.js';
import { createEngineLab, type EngineLab, type EngineLine } from '../helpers/engine-lab.js';

let engine: EngineLab;

const hello = (content: string): SpecComponent => ({
  id: 'hello',
  files: [{ path: '/etc/hello/hello.conf', mode: '0640', owner: 'root:root', content }],
});

/** Ends only when the file appears: the test decides how long the step takes. */
const library = {
  'zz-test.sh': `
demo_wait() { while [ ! -e "$1" ]; do sleep 0.2; done; }
demo_until_stopped() { until stopping; do sleep 0.2; done; }
demo_secret() { sha256sum "$SECRETS/token" | cut -c1-64 >/root/secret.sum; }
demo_touch() { : >"$1"; changed; }
demo_nginx() { nginx -t -c "$STAGE/etc/nginx/nginx.conf" && return 0; problem "nginx -t says no"; return 1; }
`,
};

function withStep(
  id: string,
  fn: string,
  args: readonly string[],
  run: 'install' | 'golive' = 'install',
): SpecComponent {
  return { id, steps: [{ id, run, after: 'services', title: id, reason: 'test', calls: [{ fn, args }] }] };
}
const waiting = (id: string, file: string, run?: 'install' | 'golive') =>
  withStep(id, 'demo_wait', [file], run);
/** The second needs the first: a step that needs nobody would have begun beside it. */
const untilStopped = (first: string, second: string): SpecComponent[] => [
  withStep(first, 'demo_until_stopped', []),
  { ...withStep(second, 'demo_until_stopped', []), needs: [first] },
];

const isEvent = (kind: string) => (line: EngineLine) => line.event?.kind === kind;
const isLog = (pattern: RegExp) => (line: EngineLine) =>
  line.event?.kind === 'log' && pattern.test(line.event.text);

/** What systemd has a say in is tried on both of its generations, the rest once. */
describe.each<VpsImage>(['debian-12', 'debian-13'])('%s', (image) => {
  const everything = image === 'debian-12';
  beforeAll(async () => {
    engine = await createEngineLab(`it-${image.replace('debian', 'engine')}`, image);
  });
  afterAll(() => engine?.lab.down());

  describe('apply', () => {
    it('writes what differs, in three round trips', async () => {
      const first = await engine.run({ components: [hello('one\n')] });
      expect(first.error).toBeUndefined();
      expect(first.result).toMatchObject({ code: 0, generation: 1, changed: true });
      expect(await engine.sh('cat /etc/hello/hello.conf; stat -c "%a %U" /etc/hello/hello.conf')).toBe(
        'one\n640 root',
      );
      expect(first.lines.at(-1)?.roundTrips).toBe(3);
      expect(first.events.map(({ kind }) => kind).filter((kind) => kind !== 'log')).toEqual([
        'begin',
        'step',
        'progress',
        'done',
        'end',
      ]);
    });

    it('has nothing to do the second time, and needs one round trip to know', async () => {
      const before = await engine.sh(
        'find /etc /var/lib/smtp-setup /usr/sbin -newermt @0 -printf "%p %T@\\n" | sort | sha256sum',
      );
      const second = await engine.run({ components: [hello('one\n')] });
      expect(second.plan).toMatchObject({ generation: 1, steps: [], conflicts: [] });
      expect(second.lines.at(-1)?.roundTrips).toBe(1);
      expect(
        await engine.sh(
          'find /etc /var/lib/smtp-setup /usr/sbin -newermt @0 -printf "%p %T@\\n" | sort | sha256sum',
        ),
      ).toBe(before);
    });

    it('needs no more round trips for thirty steps than for one', async () => {
      const steps = Array.from({ length: 30 }, (_, index) => ({
        id: `step-${index}`,
        run: 'install' as const,
        after: 'services' as const,
        title: `Step ${index}`,
        reason: 'test',
        calls: [{ fn: 'demo_touch', args: [`/root/step-${index}`] }],
      }));
      const outcome = await engine.run({ components: [{ id: 'many', steps }], library });
      expect(outcome.result).toMatchObject({ code: 0, step: 30 });
      expect(outcome.lines.at(-1)?.roundTrips).toBe(3);
    });

    it('stops at a file that was edited by hand, shows the difference, and changes nothing', async () => {
      await engine.sh('echo by hand >/etc/hello/hello.conf');
      const outcome = await engine.run({ components: [hello('two\n')] });
      expect(outcome.error).toMatchObject({ code: 'E_HAND_EDITED', exit: 1 });
      expect(outcome.error?.evidence).toEqual([
        '/etc/hello/hello.conf: changed since smtp-setup wrote it',
        '--- /etc/hello/hello.conf',
        '+++ /etc/hello/hello.conf',
        '@@ -1 +1 @@',
        '-by hand',
        '+two',
      ]);
      expect(await engine.sh('cat /etc/hello/hello.conf')).toBe('by hand');
      const kept = await engine.run({ components: [hello('two\n')], onConflict: 'keep' });
      expect([kept.error, kept.plan?.steps]).toEqual([undefined, []]);
      const taken = await engine.run({ components: [hello('two\n')], onConflict: 'take-over' });
      expect(taken.result?.code).toBe(0);
      expect(
        await engine.sh(
          'cat /etc/hello/hello.conf; cat /var/lib/smtp-setup/backups/*/hello/tree/etc/hello/hello.conf',
        ),
      ).toBe('two\nby hand');
    });

    it('leaves no trace of a secret but where the step put it', async () => {
      const secret = 'marker-7f3e-Tr0ub4dor';
      const outcome = await engine.run({
        components: [withStep('secret', 'demo_secret', [])],
        secrets: { install: [{ name: 'token', value: secret }] },
        library,
      });
      expect(outcome.result?.code).toBe(0);
      expect(await engine.sh('cat /root/secret.sum')).toMatch(/^[0-9a-f]{64}$/);
      expect(JSON.stringify(outcome.lines)).not.toContain(secret);
      const hits = `grep -rlaF ${secret.slice(0, 9)}"${secret.slice(9)}" /var /run /etc /tmp /root /dev/shm 2>/dev/null; journalctl --no-pager | grep -cF ${secret.slice(0, 9)}"${secret.slice(9)}"; true`;
      expect(await engine.sh(hits)).toBe('0');
      expect(await engine.sh('ls /run/smtp-setup')).toBe('active-services\nlock\noperator');
    });

    it('refuses a server that a newer version manages, before anything', async () => {
      const file = join(engine.lab.vps.root, 'var/lib/smtp-setup/manifest.json');
      const manifest = await readFile(file, 'utf8');
      await writeFile(file, manifest.replace('"schema":1', '"schema":2'));
      const outcome = await engine.run({ components: [hello('three\n')] });
      expect(outcome.error).toMatchObject({ code: 'E_SERVER_NEWER', exit: 5 });
      await writeFile(file, manifest);
    });
  });

  if (everything)
    describe('two clients', () => {
      it('cannot run at once: the second is told who holds the run', async () => {
        const first = await engine.start({
          components: [waiting('wait-a', '/root/go-a')],
          library,
          who: 'ada@laptop pid 1',
        });
        await first.saw(isEvent('step'));
        const second = await engine.run({ components: [hello('other\n')], who: 'bob@desktop pid 2' });
        expect(second.state?.running).toMatchObject({ who: 'ada@laptop pid 1', name: 'install' });
        expect(second.error).toMatchObject({ code: 'E_BUSY', exit: 6 });
        expect(second.error?.evidence[0]).toMatch(/^held by ada@laptop pid 1 since 20\d\d-/);
        await engine.sh(': >/root/go-a');
        expect((await first.ended).result?.code).toBe(0);
        expect(await engine.sh('cat /etc/hello/hello.conf')).toBe('two');
      });

      it('cannot run on one plan: the later is told to plan anew', async () => {
        const slow = await engine.start({ components: [waiting('wait-b', '/root/go-b', 'golive')], library });
        await slow.saw(isEvent('step'));
        // The lock is free between a client's plan and its run; the generation is what holds then.
        await engine.sh(
          'sed -i \'s/^"generation":\\([0-9]*\\),/"generation":9\\1,/\' /var/lib/smtp-setup/manifest.json; : >/root/go-b',
        );
        await slow.ended;
        const id = await engine.sh('ls /var/lib/smtp-setup/runs | tail -n 1');
        const again = await engine.sh(
          `cp -a /var/lib/smtp-setup/runs/${id} /root/again; cd /root/again; rm -f result events; sh script >/dev/null 2>&1; cat result`,
        );
        expect(again).toMatch(/^code=6$/m);
        expect(again).toMatch(/another run changed the server since the plan was made/);
      });
    });

  describe('Ctrl-C', () => {
    it('lets the present step end, and then stops', async () => {
      const client = await engine.start({
        components: untilStopped('stop-a', 'stop-b'),
        library,
      });
      await client.saw(isEvent('step'));
      client.process.kill('SIGINT');
      const { error, events } = await client.ended;
      expect(error).toMatchObject({ code: 'E_CANCELLED', exit: 130 });
      expect(events.flatMap((event) => (event.kind === 'done' ? [event.number] : []))).toEqual([1]);
    });
  });

  describe('package installation', () => {
    it('survives the death of its client, and is followed to its end by the next', async () => {
      const components: SpecComponent[] = [{ id: 'web', packages: ['nginx-light'] }];
      const client = await engine.start({ components, who: 'ada@laptop pid 1' });
      await client.saw(isLog(/^(Selecting|Unpacking|Preparing)/));
      client.process.kill('SIGKILL');
      await client.ended;
      const id = client.lines.find(({ start }) => start !== undefined)?.start ?? '';
      const next = await engine.run({ reattach: id });
      expect(next.result).toMatchObject({ code: 0, run: 'install' });
      expect(next.events.filter(({ kind }) => kind === 'begin')).toHaveLength(1);
      expect((await engine.run({ components })).plan?.steps).toEqual([]);
    });

    it('starts no daemon with a default configuration, and leaves nothing that forbids it later', async () => {
      expect(await engine.sh('systemctl is-active nginx || true')).toBe('inactive');
      expect(await engine.sh('ls /usr/sbin/policy-rc.d 2>&1 || true')).toMatch(/No such file/);
    });

    it('survives a cut connection: every event arrives, once', async () => {
      const components: SpecComponent[] = [
        { id: 'web', packages: ['nginx-light', 'libsasl2-modules', 'unbound'] },
        waiting('wait-c', '/root/go-c'),
      ];
      await engine.sh('apt-get -q -d -y install --no-install-recommends libsasl2-modules unbound');
      const client = await engine.start({ components, library });
      await client.saw(isLog(/^(Selecting|Unpacking|Preparing)/));
      await engine.lab.vps.cutLink();
      await client.saw(isEvent('lost'));
      await engine.sh(': >/root/go-c');
      await engine.lab.vps.restoreLink();
      const { result, events } = await client.ended;
      expect(result?.code).toBe(0);
      expect(events.map(({ kind }) => kind)).toContain('back');
      const own = events.filter(({ kind }) => ['begin', 'step', 'done', 'end'].includes(kind));
      expect(own.map(({ kind }) => kind)).toEqual(['begin', 'step', 'done', 'step', 'done', 'end']);
      const unpacked = events.filter(
        (event) => event.kind === 'log' && /^Unpacking unbound /.test(event.text),
      );
      expect(unpacked).toHaveLength(1);
    });
  });

  if (everything)
    describe('a set of files with a real daemon', () => {
      const web = (listen: number, probed: number, more = ''): SpecComponent => ({
        id: 'web',
        packages: ['nginx-light'],
        files: [
          {
            path: '/etc/nginx/nginx.conf',
            mode: '0644',
            owner: 'root:root',
            content: `events {}\nhttp { server { listen 127.0.0.1:${listen}; } }\n${more}`,
          },
        ],
        units: [{ name: 'nginx.service', onChange: 'reload' }],
        validate: [{ fn: 'demo_nginx', args: [] }],
        probe: [{ fn: 'port_answers', args: ['127.0.0.1', String(probed), '', '5'] }],
      });
      const answers = () =>
        engine.sh('ss -Hlnt "sport >= 8000 and sport <= 8999" | tr -s " " | cut -d" " -f4');

      it('replaces the package default, starts and proves it', async () => {
        const outcome = await engine.run({ components: [web(8081, 8081)], library });
        expect(outcome.error).toBeUndefined();
        expect(await answers()).toBe('127.0.0.1:8081');
        expect((await engine.run({ components: [web(8081, 8081)], library })).plan?.steps).toEqual([]);
      });

      it("touches nothing when the daemon's own checker refuses the new set", async () => {
        const before = await engine.sh(
          'sha256sum /etc/nginx/nginx.conf; systemctl show -p MainPID,NRestarts nginx',
        );
        const outcome = await engine.run({ components: [web(8082, 8082, 'nonsense;\n')], library });
        expect(outcome.error).toMatchObject({ code: 'E_STEP_FAILED', exit: 1 });
        expect(outcome.error?.evidence[0]).toBe('nginx -t says no');
        expect(outcome.error?.evidence.join('\n')).toMatch(/unknown directive "nonsense"/);
        expect(
          await engine.sh('sha256sum /etc/nginx/nginx.conf; systemctl show -p MainPID,NRestarts nginx'),
        ).toBe(before);
      });

      it('puts the old set back when the checker was content and the probe is not', async () => {
        const outcome = await engine.run({ components: [web(8083, 8084)], library });
        expect(outcome.error?.code).toBe('E_STEP_FAILED');
        expect(outcome.error?.evidence[0]).toMatch(/^port 8084 on 127\.0\.0\.1: nothing listens/);
        expect(await engine.sh('cat /etc/nginx/nginx.conf')).toMatch(/8081/);
        await engine.sh(
          'i=0; until ss -Hlnt "sport = 8081" | grep -q .; do i=$((i+1)); [ $i -lt 50 ]; sleep 0.1; done',
        );
        expect(await engine.sh('systemctl is-active nginx')).toBe('active');
        expect((await engine.run({ components: [web(8081, 8081)], library })).plan?.steps).toEqual([]);
      });
    });

  describe('when the client or the server dies', () => {
    it('between the runs: the next apply does the rest', async () => {
      const components = [hello('four\n'), withStep('live', 'demo_touch', ['/root/live'], 'golive')];
      const client = await engine.start({ components, library });
      await client.saw((line) => line.result !== undefined);
      client.process.kill('SIGKILL');
      await client.ended;
      // Either the second run had begun already, and ends by itself, or it had not: the next apply looks and goes on.
      const plan = (await engine.run({ components, library, planOnly: true })).plan;
      expect(plan?.steps.map(({ id }) => id)).toEqual(['live']);
      await engine.sh('while systemctl is-active --quiet smtp-setup-run; do sleep 0.2; done');
      const next = await engine.run({ components, library });
      expect(next.result?.code).toBe(0);
      expect(await engine.sh('ls /root/live')).toBe('/root/live');
    });

    it('a reboot lets the present step end, and says so', async () => {
      const client = await engine.start({
        components: untilStopped('stop-c', 'stop-d'),
        library,
      });
      await client.saw(isEvent('step'));
      await engine.lab.vps.reboot();
      const { error, events } = await client.ended;
      expect(error).toMatchObject({ code: 'E_CANCELLED', exit: 130 });
      expect(events.flatMap((event) => (event.kind === 'done' ? [event.number] : []))).toEqual([1]);
    });

    it('a power cut in the middle of an installation is repaired by the next apply', async () => {
      const components: SpecComponent[] = [{ id: 'mail', packages: ['postfix', 'nginx-light'] }];
      const client = await engine.start({
        components,
        secrets: { install: [{ name: 'token', value: 'marker-cut' }] },
      });
      await client.saw(isLog(/^(Unpacking|Preparing)/));
      await engine.lab.vps.powerCut();
      await engine.lab.vps.start();
      const { error } = await client.ended;
      expect(error).toMatchObject({ code: 'E_RUN_DIED', exit: 1 });
      const next = await engine.run({ components });
      expect(next.error).toBeUndefined();
      expect(next.result?.code).toBe(0);
      expect(await engine.sh('dpkg --audit; dpkg -s postfix | grep Status')).toBe(
        'Status: install ok installed',
      );
      expect(await engine.sh('ls /usr/sbin/policy-rc.d 2>&1 || true')).not.toMatch(/^\//m);
      // Not the one that the package would write.
      expect(await engine.sh('head -n 1 /etc/postfix/main.cf')).toBe(
        '# Managed by smtp-setup, until it writes the real one.',
      );
      expect(await engine.sh('postconf -h master_service_disable')).toBe('inet');
      expect(await engine.sh('ls /run/smtp-setup')).toBe('active-services\nlock\noperator');
      expect((await engine.run({ components })).plan?.steps).toEqual([]);
    });
  });
});
