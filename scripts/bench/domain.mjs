import { importSource } from '../import-source.mjs';

const second = 'second.test';

/**
 * `domain add` on a server in use: another mail server sends to the first domain all the while, every 0.55 s, from two
 * addresses in turn. The figure is the longest time from one message that was taken to the next, that pause included.
 */
export async function run() {
  const [{ openProvisioned }, { startReceiver }, { startMailStream, longestGap }] = await Promise.all([
    importSource('test/helpers/world.ts'),
    importSource('src/sandbox/receiver/index.ts'),
    importSource('test/helpers/mail-stream.ts'),
  ]);
  const world = await openProvisioned('benchdomain', 'debian-12');
  try {
    const receiver = await startReceiver(world.lab);
    const init = await world.cli(world.rehearsal.initArguments);
    if (init.code !== 0) throw new Error(init.stderr);
    const nameServers = ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'];
    await world.lab.dns.addZone(second, { nameServers });
    await world.lab.resolverHost.flush();
    await world.rehearsal.cloudflare.control.addZone({ name: second, nameServers });
    const stream = await startMailStream(world, receiver);
    const flags = ['--config', world.rehearsal.configFile, '--resolver', world.lab.resolver, '--yes'];
    const added = await world.cli(['domain', 'add', second, ...flags]);
    const attempts = await stream.stop();
    if (added.code !== 0) throw new Error(added.stderr);
    const refused = attempts.filter(({ ok }) => !ok).length;
    const gap = longestGap(attempts);
    return [
      {
        what: 'domain add: longest time without a message for the first domain',
        figure: `${gap} ms`,
        goal: '<= 2000 ms',
        detail: `${attempts.length} messages meanwhile, one each 550 ms, ${refused} refused`,
        ok: gap <= 2000 && refused === 0,
      },
    ];
  } finally {
    await world.lab.down();
  }
}
