import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { importSource } from '../import-source.mjs';

const count = 500;

/**
 * `user add --csv` of 500 mailboxes: with passwords, beside the bare hashing of as many on the same server; then with
 * hashes, where nothing is to be waited for. Everything included: login, facts, plan, upload, run.
 */
export async function run() {
  const { openProvisioned, shell } = await importSource('test/helpers/world.ts');
  const world = await openProvisioned('benchusers', 'debian-12');
  try {
    const init = await world.cli(world.rehearsal.initArguments);
    if (init.code !== 0) throw new Error(init.stderr);
    const add = async (name, secret) => {
      const file = join(world.rehearsal.home, `${name}.csv`);
      const lines = Array.from(
        { length: count },
        (_, at) => `${name}${at}@${world.lab.domain},${secret()}\n`,
      );
      await writeFile(file, lines.join(''), { mode: 0o600 });
      const begin = performance.now();
      const done = await world.cli([
        'user',
        'add',
        '--csv',
        file,
        '--yes',
        '--config',
        world.rehearsal.configFile,
      ]);
      if (done.code !== 0) throw new Error(done.stderr);
      return (performance.now() - begin) / 1000;
    };
    const bare = Number(
      await shell(
        world,
        `begin=$(date +%s.%N)
        for i in $(seq ${count}); do printf 'quince-lantern-%s\\nquince-lantern-%s\\n' $i $i | doveadm pw -s ARGON2ID; done >/dev/null
        echo "$(date +%s.%N) - $begin" | awk '{ print $1 - $3 }'`,
      ),
    );
    const own = await add('p', () => randomBytes(12).toString('base64url'));
    const hashes = await add('h', () => `$6$salt$${'a'.repeat(86)}`);
    return [
      {
        what: `user add --csv of ${count} passwords beside bare hashing of as many`,
        figure: `${(own / bare).toFixed(2)} x`,
        goal: '<= 1.3 x',
        detail: `${own.toFixed(0)} s beside ${bare.toFixed(0)} s (doveadm pw -s ARGON2ID, one after the other)`,
        ok: own <= 1.3 * bare,
      },
      {
        what: `user add --csv of ${count} hashes`,
        figure: `${hashes.toFixed(1)} s`,
        goal: '<= 15 s',
        detail: 'login, facts, plan, upload and run included',
        ok: hashes <= 15,
      },
    ];
  } finally {
    await world.lab.down();
  }
}
