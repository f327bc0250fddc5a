import type { Facts } from '../../facts/index.js';
import type { UpdatesState } from '../../facts/updates.js';
import { stageOn, warmupDays } from '../../lib/warmup.js';
import type { QueuedMessage } from '../../logs/parse-queue.js';
import type { Finding } from '../check.js';

export interface StatusInput {
  facts: Pick<Facts, 'state' | 'units' | 'disk' | 'packages' | 'files'> & Partial<Pick<Facts, 'warmup'>>;
  queue: readonly QueuedMessage[];
  updates: UpdatesState;
  /** Logins that have reached their sending limit within a day. */
  limited: readonly string[];
  /** Seconds since 1970. */
  now: number;
}

/** Those whose standstill is felt at once; each under the names it has on the supported releases. */
const services = [
  ['postfix@-.service', 'postfix.service'],
  ['dovecot.service'],
  ['rspamd.service'],
  ['smtp-setup-redis.service'],
  ['unbound.service'],
  ['nginx.service'],
  ['certbot.timer'],
] as const;
const programs = ['postfix', 'dovecot-core', 'rspamd', 'redis-tools', 'unbound', 'nginx', 'certbot'];

const hour = 3600;

/** What the server says about itself, judged. Pure. */
export function judgeServer(input: StatusInput): Finding[] {
  return [
    ...judgeServices(input),
    ...judgeDisk(input),
    judgeQueue(input),
    judgeLimits(input),
    ...judgeWarmup(input),
    ...judgeFiles(input),
    judgeRuns(input),
    ...judgeUpdates(input),
    ...listVersions(input),
  ];
}

function judgeServices({ facts }: StatusInput): Finding[] {
  return services.flatMap((names): Finding[] => {
    const known = names.filter((name) => facts.units.has(name));
    const [first] = known;
    // A profile without it.
    if (first === undefined) return [];
    // On older releases postfix.service is a shell that has exited and counts as active, whatever its instance does.
    const real = known.filter((name) => facts.units.get(name)?.sub !== 'exited');
    const judged = real.find((name) => facts.units.get(name)?.active === 'active') ?? real[0] ?? first;
    const state = facts.units.get(judged);
    const ok = state?.active === 'active';
    return [
      {
        id: 'SRV-UNIT',
        group: 'Services',
        title: 'The service runs',
        subject: judged,
        status: ok ? 'pass' : 'fail',
        message: `It is ${state?.active ?? 'unknown'} (${state?.sub ?? 'unknown'}).`,
        ...(ok
          ? {}
          : { fix: { text: `smtp-setup apply starts it; why it stopped: journalctl -u ${judged}` } }),
      },
    ];
  });
}

function judgeDisk({ facts }: StatusInput): Finding[] {
  const seen = new Set<string>();
  return facts.disk.flatMap((system): Finding[] => {
    if (system.path !== '/' && system.path !== '/var') return [];
    const key = `${system.size} ${system.free}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const share = system.size === 0 ? 1 : system.free / system.size;
    const noInodes = system.inodesFree !== undefined && system.inodesFree < 1000;
    const bad = system.readOnly || noInodes || share < 0.03 || system.free < 100;
    const tight = share < 0.1 || system.free < 500;
    return [
      {
        id: 'SRV-DISK',
        group: 'Server',
        title: 'There is room for mail',
        subject: system.path,
        status: bad ? 'fail' : tight ? 'warn' : 'pass',
        message: system.readOnly
          ? 'The file system is read-only.'
          : `${system.free} MiB of ${system.size} MiB are free${noInodes ? ', but no inodes' : ''}.`,
        ...(bad || tight
          ? { fix: { text: 'Look at what is large: du -xh --max-depth=2 /var | sort -h' } }
          : {}),
      },
    ];
  });
}

function judgeQueue({ queue, now }: StatusInput): Finding {
  const held = queue.filter((message) => message.queue === 'hold').length;
  const waiting = queue.length - held;
  const oldest = Math.max(0, ...queue.map(({ arrived }) => now - arrived));
  const long = waiting > 50 || oldest > 4 * hour;
  const age = oldest > hour ? `, the oldest for ${Math.floor(oldest / hour)} h` : '';
  return {
    id: 'SRV-QUEUE',
    group: 'Mail',
    title: 'Mail flows',
    subject: 'queue',
    status: waiting > 500 ? 'fail' : long ? 'warn' : 'pass',
    message:
      queue.length === 0
        ? 'Nothing waits.'
        : `${waiting} waiting${age}${held > 0 ? `, ${held} on hold` : ''}.`,
    ...(long ? { fix: { text: 'smtp-setup queue list shows why; smtp-setup report sums it up.' } } : {}),
  };
}

/** The fuse against stolen passwords: who blew it? */
function judgeLimits({ limited }: StatusInput): Finding {
  const common = {
    id: 'SRV-LIMIT',
    group: 'Mail',
    title: 'No login sends too much',
    subject: 'sending limits',
  };
  if (limited.length === 0)
    return { ...common, status: 'pass', message: 'None reached its limit within a day.' };
  return {
    ...common,
    status: 'warn',
    message: `Told to come later: ${limited.slice(0, 10).join(', ')}${limited.length > 10 ? ', …' : ''}`,
    fix: {
      text: 'Look at what was sent: smtp-setup logs --from ADDRESS. A stolen password is changed with smtp-setup user passwd ADDRESS; a limit that is too low is raised under `limits` in smtp-setup.yaml.',
    },
  };
}

/** Where the ramp stands, and what comes next. */
function judgeWarmup({ facts }: StatusInput): Finding[] {
  return (facts.warmup ?? []).map(({ group, day }): Finding => {
    const stage = stageOn(day);
    const next = stage === undefined ? undefined : stageOn(stage.to + 1);
    const message =
      stage === undefined
        ? `It ended with day ${warmupDays}.`
        : `Day ${day} of ${warmupDays}: ${stage.perDay} messages a day to each destination, until day ${stage.to}; then ${next === undefined ? 'as they come' : next.perDay}.`;
    return {
      id: 'SRV-WARMUP',
      group: 'Mail',
      title: 'A new sender warms up',
      subject: group === 'server' ? 'the server' : group,
      status: 'info',
      message,
    };
  });
}

/** Drift: a file of ours that no longer says what the last apply wrote. */
function judgeFiles({ facts }: StatusInput): Finding[] {
  const { manifest } = facts.state;
  const common = { id: 'SRV-FILES', group: 'Server', title: 'Our files are as we wrote them' };
  if (manifest === 'absent' || manifest === 'corrupt') {
    const message = `The list of our files is ${manifest}.`;
    return [
      {
        ...common,
        subject: 'manifest',
        status: 'fail',
        message,
        fix: { text: 'smtp-setup apply makes it anew.' },
      },
    ];
  }
  const drifted = manifest.files.filter(({ path, sha256 }) => {
    const file = facts.files.get(path);
    return file?.type !== 'file' || file.sha256 !== sha256;
  });
  if (drifted.length === 0) {
    const message = `All ${manifest.files.length} are.`;
    return [{ ...common, subject: 'files', status: 'pass', message }];
  }
  return drifted.map(({ path }) => ({
    ...common,
    subject: path,
    status: 'warn',
    message: facts.files.has(path) ? 'Somebody changed it.' : 'It is gone.',
    fix: { text: 'smtp-setup plan shows the difference.' },
  }));
}

function judgeRuns({ facts }: StatusInput): Finding {
  const { running, runs, pending } = facts.state;
  const common = { id: 'SRV-RUN', group: 'Server', title: 'The last change ended well', subject: 'runs' };
  if (running !== undefined)
    return { ...common, status: 'info', message: `A run goes on: ${running.id}, of ${running.who}.` };
  const last = runs.at(-1);
  const failed = last !== undefined && last.result?.code !== 0;
  if (!failed && pending.length === 0)
    return {
      ...common,
      status: 'pass',
      message: last === undefined ? 'There was none.' : `It was ${last.id}.`,
    };
  const why = last?.result?.message ?? 'it was interrupted';
  return {
    ...common,
    status: 'warn',
    message: failed ? `${last.id} failed: ${why}` : `Not proven: ${pending.join(', ')}.`,
    fix: { text: 'smtp-setup apply goes on from what is there.' },
  };
}

function judgeUpdates({ updates, now }: StatusInput): Finding[] {
  const common = {
    id: 'SRV-UPDATES',
    group: 'Server',
    title: 'Security updates are installed',
    subject: 'packages',
  };
  const fix = { text: 'On the server: apt-get update && apt-get upgrade' };
  const reboot: Finding[] = updates.reboot
    ? [
        {
          id: 'SRV-REBOOT',
          group: 'Server',
          title: 'No reboot is due',
          subject: 'system',
          status: 'warn',
          message: 'Updates wait for a reboot.',
          fix: { text: 'Reboot when it suits; mail that comes meanwhile is tried again by its senders.' },
        },
      ]
    : [];
  if (updates.pending === undefined)
    return [{ ...common, status: 'unknown', message: 'apt could not tell.', fix }, ...reboot];
  const urgent = updates.pending.filter(({ security }) => security);
  const stale = now - updates.refreshed > 7 * 24 * hour;
  const names = urgent.slice(0, 8).map(({ name }) => name);
  const others = updates.pending.length - urgent.length;
  const message =
    urgent.length > 0
      ? `${urgent.length} wait: ${names.join(', ')}${urgent.length > names.length ? ', …' : ''}`
      : `None waits${others > 0 ? `, but ${others} other updates do` : ''}${stale ? '; the lists are older than a week' : ''}.`;
  const bad = urgent.length > 0 || stale;
  return [{ ...common, status: bad ? 'warn' : 'pass', message, ...(bad ? { fix } : {}) }, ...reboot];
}

function listVersions({ facts }: StatusInput): Finding[] {
  return programs.flatMap((name): Finding[] => {
    const found = facts.packages.get(name);
    if (!found?.installed) return [];
    return [
      {
        id: 'SRV-VERSION',
        group: 'Versions',
        title: 'Installed version',
        subject: name,
        status: 'info',
        message: found.version,
        observed: found.version,
      },
    ];
  });
}
