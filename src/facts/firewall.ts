import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

/** A chain of somebody else's that lets nothing in that it does not name. */
export interface ClosingChain {
  family: 'inet' | 'ip' | 'ip6';
  table: string;
  chain: string;
  /** TCP ports that our own marked rules open in it. */
  opened: readonly number[];
}

export interface Firewall {
  /** A manager that is switched on. */
  manager?: 'ufw' | 'firewalld';
  /** TCP ports that the manager lets in from everywhere. */
  managed: readonly number[];
  /** Ports where sshd listens, is configured to listen, or was reached just now. */
  ssh: readonly number[];
  /** `tcp/8080`: what our rules keep open for others; undefined while there are none of ours. */
  kept?: readonly string[];
  /** Our unit was started. */
  active: boolean;
  /** Our table is in the kernel. */
  loaded: boolean;
  /** Rules were changed, and nobody has logged in since: they are about to be taken back. */
  unproven: boolean;
  closing: readonly ClosingChain[];
  /** Why the kernel filters packets for nobody here (some containers): its error, e.g. `Operation not permitted`. */
  refused?: string;
}

/**
 * Asks the kernel for its tables as nft would (NFT_MSG_GETTABLE over netlink(7)), because nft itself may come later.
 * Only a plain refusal counts; whatever else goes wrong here is found out when the rules are loaded.
 */
const askKernel = `perl -e '
  socket(my $s, 16, 3, 12) or do { print "refused $!\\n"; exit };
  send($s, pack("LSSLLCCn", 20, 2561, 769, 1, 0, 0, 0, 0), 0, pack("SSLL", 16, 0, 0, 0)) or exit;
  my $ready = ""; vec($ready, fileno($s), 1) = 1;
  select($ready, undef, undef, 2) or exit;
  defined recv($s, my $answer, 8192, 0) or exit;
  my (undef, $type, undef, undef, undef, $error) = unpack("LSSLLl", $answer);
  if ($type == 2 && $error < 0) { $! = -$error; print "refused $!\\n" }'`;

/** What filters what comes in. Files are read rather than programs asked where that is the same: ufw takes a second. */
export const firewall: Probe<Firewall> = {
  script: `if command -v ufw >/dev/null && grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf; then echo ufw
elif systemctl is-active --quiet firewalld; then echo firewalld
fi
echo --; grep -hs '^### tuple ### allow ' /etc/ufw/user.rules
command -v firewall-cmd >/dev/null && firewall-cmd --permanent --list-ports
echo --; set -- \${SSH_CONNECTION:-}; echo "port \${4:-}"
sshd -T | grep '^port '
for unit in ssh.socket sshd.socket; do
  systemctl is-active --quiet $unit && systemctl show -p Listen $unit | sed -n 's/^Listen=.*[:=]\\([0-9]*\\) (Stream)$/port \\1/p'
done
command -v ss >/dev/null && ss -H -lntp | sed -n 's/^LISTEN *[0-9]* *[0-9]* *[^ ]*:\\([0-9]*\\) .*users:(("\\(sshd\\|dropbear\\)".*/port \\1/p'
echo --; [ -e /etc/smtp-setup/firewall.nft ] && echo ours && sed -n 's/^# Kept open: //p' /etc/smtp-setup/firewall.nft
echo --; systemctl is-active --quiet smtp-setup-firewall && echo active
nft list table inet smtp_setup >/dev/null && echo loaded
systemctl is-active --quiet smtp-setup-firewall-deadman.timer && echo unproven
${askKernel}
echo --; nft list ruleset`,
  parse({ stdout }) {
    const [manager = '', allowed = '', ssh = '', kept = '', state = '', ruleset = ''] = readParts(stdout, 6);
    const name = manager.trim();
    const ports = [...ssh.matchAll(/^port (\d{1,5})$/gm)].map((match) => Number(match[1]));
    const lines = readLines(kept);
    const refused = /^refused ([\x20-\x7e]{1,80})$/m.exec(state)?.[1];
    return {
      ...(name === 'ufw' || name === 'firewalld' ? { manager: name } : {}),
      managed: numbers(readLines(allowed).flatMap(readAllowed)),
      ssh: numbers(ports),
      ...(lines[0] === 'ours'
        ? { kept: (lines[1] ?? '').split(', ').filter((one) => /^(?:tcp|udp)\/\d{1,5}$/.test(one)) }
        : {}),
      active: readLines(state).includes('active'),
      loaded: readLines(state).includes('loaded'),
      unproven: readLines(state).includes('unproven'),
      closing: readClosingChains(ruleset),
      ...(refused === undefined ? {} : { refused }),
    };
  },
};

/** `### tuple ### allow tcp 25,465 0.0.0.0/0 any 0.0.0.0/0 in` of ufw, `25/tcp 465/tcp` of firewalld. */
function readAllowed(line: string): number[] {
  const tuple = /^### tuple ### allow (?:tcp|any) ([\d,]+) 0\.0\.0\.0\/0 any 0\.0\.0\.0\/0 in\b/.exec(line);
  if (tuple) return (tuple[1] ?? '').split(',').map(Number);
  return [...line.matchAll(/(?<=^|\s)(\d{1,5})\/tcp(?=\s|$)/g)].map((match) => Number(match[1]));
}

function numbers(found: readonly number[]): number[] {
  return [...new Set(found)].filter((port) => port > 0 && port < 65_536).sort((a, b) => a - b);
}

/**
 * Base chains at the input hook that end in a refusal, by policy or by their last rule: as people write them in
 * /etc/nftables.conf, and as iptables shows through nft. Those of the managers and our own are known otherwise.
 */
export function readClosingChains(ruleset: string): ClosingChain[] {
  const found: ClosingChain[] = [];
  let table: { family: ClosingChain['family']; name: string } | undefined;
  let chain: { name: string; lines: string[] } | undefined;
  for (const line of readLines(ruleset)) {
    const opens = /^table (inet|ip|ip6) ([A-Za-z0-9_./-]{1,60}) \{$/.exec(line);
    if (/^table /.test(line)) {
      table = opens?.[2] ? { family: opens[1] as ClosingChain['family'], name: opens[2] } : undefined;
      chain = undefined;
      continue;
    }
    const begins = /^\tchain ([A-Za-z0-9_./-]{1,60}) \{$/.exec(line);
    if (begins?.[1] !== undefined) {
      chain = { name: begins[1], lines: [] };
      continue;
    }
    if (line === '\t}' && chain !== undefined) {
      if (table !== undefined && isOthers(table.name) && isClosing(chain.lines))
        found.push({
          family: table.family,
          table: table.name,
          chain: chain.name,
          opened: openedIn(chain.lines),
        });
      chain = undefined;
      continue;
    }
    chain?.lines.push(line.trim());
  }
  return found;
}

const isOthers = (table: string) =>
  table !== 'smtp_setup' && table !== 'firewalld' && !table.startsWith('f2b');

function isClosing(lines: readonly string[]): boolean {
  const [head = '', ...rules] = lines;
  if (!/^type filter hook input /.test(head)) return false;
  return head.includes('policy drop') || isRefusal(rules.at(-1) ?? '');
}

/** A rule that refuses whatever reaches it. */
function isRefusal(rule: string): boolean {
  const bare = rule.replace(
    /\bcounter packets \d+ bytes \d+ ?|\bcounter ?|\blog\b(?: (?:prefix "[^"]*"|level \w+|flags \w+))* ?/g,
    '',
  );
  return /^(?:drop|reject\b.*)$/.test(bare.replace(/ ?comment "[^"]*"$/, '').trim());
}

function openedIn(rules: readonly string[]): number[] {
  return numbers(
    rules.flatMap((rule) => {
      const match =
        /^tcp dport (\d{1,5}) (?:counter packets \d+ bytes \d+ )?accept comment "smtp-setup"$/.exec(rule);
      return match ? [Number(match[1])] : [];
    }),
  );
}
