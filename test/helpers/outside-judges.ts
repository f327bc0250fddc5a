import { shell, type World } from './world.js';

/** What tools that share nothing with us say of a server. */
export interface Judgement {
  /** Lynis's hardening index, 0 to 100. Lynis runs on the server, which has its package. */
  lynis: number;
  /** Each `[fail]` and `[warn]` of ssh-audit, sorted. */
  ssh: string[];
}

export async function judgeServer(world: World): Promise<Judgement> {
  const index = await shell(
    world,
    "lynis audit system --quick --quiet --no-colors >/root/lynis.out 2>&1; sed -n 's/^hardening_index=//p' /var/log/lynis-report.dat",
  );
  const audit = await world.lab.client.exec('ssh-audit', ['-n', '-b', '-l', 'warn', world.lab.vps.ipv4]);
  const ssh = audit.stdout.split('\n').filter((line) => /\[(?:fail|warn)\]/.test(line));
  if (ssh.length === 0) throw new Error(`ssh-audit saw nothing: ${audit.stdout}${audit.stderr}`);
  return { lynis: Number(index), ssh: ssh.sort() };
}
