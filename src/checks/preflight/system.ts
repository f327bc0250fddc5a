import type { Finding } from '../check.js';
import { finding, type PreflightContext, type PreflightFacts } from './rule.js';

/** Releases whose packages were rendered for; all others are refused. */
export const supportedReleases: Readonly<Record<string, readonly string[]>> = {
  debian: ['12', '13'],
  ubuntu: ['22.04', '24.04', '26.04'],
};
const supportedText = 'Debian 12 or 13, Ubuntu 22.04, 24.04 or 26.04';

/** MiB. Rspamd, Dovecot and Postfix together rest at about 300; certbot and apt need as much again for a moment. */
const memoryNeeded = { least: 400, comfortable: 900, plan: '1 GB' };
/** MiB. A server that only sends rests at about 160, and a VPS of 512 MB shows about 460. */
const memoryToSend = { least: 300, comfortable: 400, plan: '512 MB' };
/** MiB in /var: packages and their downloads, then mail. */
const diskNeeded = { least: 1024, comfortable: 2048 };
const inodesNeeded = 20_000;
/** Seconds: TLS and apt's Release files refuse a clock that is far off; DKIM and TOTP dislike half a minute. */
const clockLimits = { fail: 300, warn: 30 };

export function checkSystem(facts: PreflightFacts, context: PreflightContext): Finding[] {
  return [
    checkRelease(facts),
    checkInit(facts),
    checkArchitecture(facts),
    checkMemory(facts, context.sendsOnly ? memoryToSend : memoryNeeded),
    ...checkDisk(facts),
    checkClock(facts, context),
    checkHostName(facts, context),
  ];
}

function checkRelease({ os }: PreflightFacts): Finding {
  const rule = ['SRV-OS', 'Distribution', '/etc/os-release'] as const;
  const [id, title, subject] = rule;
  const fix = `Rebuild the server with ${supportedText}.`;
  if (!os) {
    return finding(id, 'fail', title, subject, 'The server does not say which system it runs.', {
      expected: supportedText,
      fix,
    });
  }
  if (supportedReleases[os.id]?.includes(os.version)) return finding(id, 'pass', title, subject, os.name);
  return finding(id, 'fail', title, subject, `${os.name} is not supported.`, {
    expected: supportedText,
    observed: `${os.id} ${os.version}`,
    fix,
  });
}

function checkInit({ init }: PreflightFacts): Finding {
  if (init.pid1 === 'systemd' && init.version !== undefined) {
    return finding('SRV-SYSTEMD', 'pass', 'systemd', 'process 1', `systemd ${init.version}, ${init.state}`);
  }
  return finding('SRV-SYSTEMD', 'fail', 'systemd', 'process 1', 'systemd does not run this system.', {
    expected: 'systemd',
    observed: init.pid1 || 'unknown',
    fix: 'A container without its own init cannot be a mail server: use a VPS (a virtual machine).',
  });
}

function checkArchitecture({ machine }: PreflightFacts): Finding {
  const known = ['amd64', 'arm64'].includes(machine.dpkgArch);
  const name = machine.dpkgArch || machine.arch || 'unknown';
  if (known)
    return finding(
      'SRV-ARCH',
      'pass',
      'Processor',
      'dpkg',
      `${name}, ${machine.cpus} ${machine.cpus === 1 ? 'core' : 'cores'}, ${machine.virtualization}`,
    );
  return finding('SRV-ARCH', 'warn', 'Processor', 'dpkg', `${name} was never tried.`, {
    expected: 'amd64 or arm64',
  });
}

function checkMemory(
  { machine: { memory, swap } }: PreflightFacts,
  { least, comfortable, plan }: typeof memoryNeeded,
): Finding {
  const subject = '/proc/meminfo';
  const seen = swap > 0 ? `${memory} MiB and ${swap} MiB swap` : `${memory} MiB, no swap`;
  if (memory === 0)
    return finding('SRV-MEMORY', 'unknown', 'Memory', subject, 'The memory could not be read.');
  if (memory < least) {
    return finding('SRV-MEMORY', 'fail', 'Memory', subject, 'There is too little memory for a mail server.', {
      expected: `${comfortable} MiB`,
      observed: seen,
      fix: `Choose a plan with at least ${plan} of memory.`,
    });
  }
  if (memory + swap < comfortable) {
    return finding(
      'SRV-MEMORY',
      'warn',
      'Memory',
      subject,
      'Memory is tight: Rspamd may be ended under load.',
      {
        expected: `${comfortable} MiB`,
        observed: seen,
        fix: 'Add 1 GB of swap (fallocate -l 1G /swapfile; chmod 600 /swapfile; mkswap /swapfile; swapon /swapfile) or choose a larger plan.',
      },
    );
  }
  return finding('SRV-MEMORY', 'pass', 'Memory', subject, seen);
}

function checkDisk({ disk }: PreflightFacts): Finding[] {
  const findings: Finding[] = [];
  const readOnly = disk.filter(
    (one) => one.readOnly && ['/', '/etc', '/usr', '/var', '/var/lib'].includes(one.path),
  );
  if (readOnly.length > 0) {
    const paths = readOnly.map(({ path }) => path).join(', ');
    findings.push(
      finding('SRV-WRITABLE', 'fail', 'File system', paths, 'It is mounted read-only.', {
        fix: 'Look at dmesg for a disk error; a healthy disk is made writable with: mount -o remount,rw /',
      }),
    );
  }
  const place = disk.find(({ path }) => path === '/var/lib') ?? disk.find(({ path }) => path === '/');
  if (!place)
    return [...findings, finding('SRV-DISK', 'unknown', 'Disk', '/var', 'The free space could not be read.')];
  const seen = `${place.free} MiB free of ${place.size} MiB`;
  const remedy = {
    expected: `${diskNeeded.comfortable} MiB free`,
    observed: seen,
    fix: 'Make room in /var, or enlarge the disk.',
  };
  if (place.free < diskNeeded.least) {
    findings.push(finding('SRV-DISK', 'fail', 'Disk', place.path, 'There is too little free space.', remedy));
  } else if (place.free < diskNeeded.comfortable) {
    findings.push(finding('SRV-DISK', 'warn', 'Disk', place.path, 'There is little room for mail.', remedy));
  } else findings.push(finding('SRV-DISK', 'pass', 'Disk', place.path, seen));
  if (place.inodesFree !== undefined && place.inodesFree < inodesNeeded) {
    findings.push(
      finding('SRV-INODES', 'fail', 'Disk', place.path, 'There are too few free inodes.', {
        expected: String(inodesNeeded),
        observed: String(place.inodesFree),
        fix: 'Many small files fill the disk (df -i; du --inodes -d 2 /var): remove them.',
      }),
    );
  }
  return findings;
}

function checkClock({ clock }: PreflightFacts, { now }: PreflightContext): Finding {
  const title = 'Clock';
  const subject = 'date';
  if (clock.epoch === undefined)
    return finding('SRV-CLOCK', 'unknown', title, subject, 'The time could not be read.');
  const skew = Math.round(clock.epoch - now);
  const off = `${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead of'} this machine`;
  const ntp =
    clock.synchronized === undefined
      ? 'time service unknown'
      : clock.synchronized
        ? 'synchronized'
        : clock.enabled
          ? 'time service on, not synchronized yet'
          : 'no time service';
  const remedy = {
    observed: `${off}; ${ntp}`,
    fix: 'On the server: apt-get install systemd-timesyncd && timedatectl set-ntp true (and see that the clock of this machine is right).',
  };
  if (Math.abs(skew) > clockLimits.fail) {
    return finding(
      'SRV-CLOCK',
      'fail',
      title,
      subject,
      'The clock is wrong: TLS, apt and DKIM would fail.',
      remedy,
    );
  }
  if (Math.abs(skew) > clockLimits.warn)
    return finding('SRV-CLOCK', 'warn', title, subject, 'The clock is off.', remedy);
  return finding('SRV-CLOCK', 'pass', title, subject, ntp);
}

function checkHostName({ hostName }: PreflightFacts, { hostname }: PreflightContext): Finding {
  const title = 'Host name';
  const subject = '/etc/hostname';
  const current = hostName.static || hostName.kernel;
  if (current === hostname) return finding('SRV-HOSTNAME', 'pass', title, subject, hostname);
  if (hostName.fqdn === hostname) {
    return finding('SRV-HOSTNAME', 'pass', title, subject, `${current} (in full: ${hostname})`);
  }
  return finding(
    'SRV-HOSTNAME',
    'info',
    title,
    subject,
    `It is ${current || 'unset'} now and becomes ${hostname}.`,
  );
}
