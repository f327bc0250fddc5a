import { importSource } from '../import-source.mjs';
import { readMemory } from './install.mjs';

const goal = 420;

/** What a whole mail server takes after `init` and one mail out and back, on both releases. */
export async function run() {
  const { openProvisioned } = await importSource('test/helpers/world.ts');
  const { startReceiver } = await importSource('src/sandbox/receiver/index.ts');
  const rows = [];
  for (const image of ['debian-12', 'debian-13']) {
    const world = await openProvisioned('bench-memory', image);
    try {
      const init = await world.cli(world.rehearsal.initArguments);
      if (init.code !== 0) throw new Error(init.stderr);
      const receiver = await startReceiver(world.lab);
      const subject = 'Bench';
      const sent = await world.mail.send({ to: `echo@${receiver.domain}`, subject });
      if (!sent.ok) throw new Error(sent.detail);
      const answer = await world.mail.read({ subject, timeoutMs: 120_000 });
      if (!answer.ok) throw new Error(answer.detail);
      const memory = await readMemory(world);
      rows.push({
        what: `Memory of the server, ${image}`,
        figure: `${memory.toFixed(0)} MB`,
        goal: `<= ${goal} MB`,
        detail: 'sum of PSS over the processes of the VPS, after init and one mail out and back',
        ok: memory <= goal,
      });
    } finally {
      await world.lab.down();
    }
  }
  return rows;
}
