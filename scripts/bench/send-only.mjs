import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importSource } from '../import-source.mjs';
import { readMemory } from './install.mjs';

const goal = 200;

/** What a server that only sends takes: installed from nothing on both releases, and after an application has sent. */
export async function run() {
  const { openWorld } = await importSource('test/helpers/world.ts');
  const { startReceiver } = await importSource('src/sandbox/receiver/index.ts');
  const rows = [];
  for (const image of ['debian-12', 'debian-13']) {
    const world = await openWorld({ name: 'bench-send', image });
    try {
      const { rehearsal, lab, mail } = world;
      await must(world.cli([...withoutMailbox(rehearsal.initArguments), '--profile', 'send-only']));
      const receiver = await startReceiver(lab);
      const user = `app@${lab.domain}`;
      const passwordFile = join(rehearsal.home, 'app-password');
      const password = 'quince-lantern-orbit-7';
      await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
      await must(
        world.cli([
          ...['user', 'add', user, '--sender', user, '--password-file', passwordFile, '--yes'],
          ...['--config', rehearsal.configFile],
        ]),
      );
      for (const subject of ['Bench 1', 'Bench 2', 'Bench 3']) {
        const sent = await mail.send({ to: `sink@${receiver.domain}`, subject, user, password });
        if (!sent.ok) throw new Error(sent.detail);
        await receiver.waitForMessage(({ raw }) => raw.includes(subject), 120_000);
      }
      const memory = await readMemory(world);
      rows.push({
        what: `Memory of a server that only sends, ${image}`,
        figure: `${memory.toFixed(0)} MB`,
        goal: `<= ${goal} MB`,
        detail: 'sum of PSS over the processes of the VPS, after init on a fresh system and three mails out',
        ok: memory <= goal,
      });
    } finally {
      await world.lab.down();
    }
  }
  return rows;
}

function withoutMailbox(args) {
  const at = args.indexOf('--mailbox');
  return args.filter((_, index) => index < at || index >= at + 4);
}

async function must(result) {
  const done = await result;
  if (done.code !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
}
