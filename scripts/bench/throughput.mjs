import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { importSource } from '../import-source.mjs';
import { root } from './table.mjs';

const count = 1000;
const connections = 10;

/**
 * 1,000 messages in through port 25 and 1,000 out through submission, beside the same Postfix as the distribution
 * configures it (no filter, no logins, mailboxes of its own). The limits are raised by the configuration for that.
 */
export async function run() {
  const modules = {
    ...(await importSource('test/helpers/world.ts')),
    ...(await importSource('src/sandbox/receiver/index.ts')),
  };
  const stock = await measureStock(modules);
  const own = await measureOwn(modules);
  return [
    row('Messages in through port 25', own.incoming, stock.incoming),
    row('Messages out, submitted with a login', own.outgoing, stock.outgoing),
  ];
}

function row(what, own, stock) {
  const whole = own.arrived === count && own.distinct === count && own.refused === 0;
  const signed = own.signed === undefined ? '' : `, ${own.signed} signed`;
  return {
    what: `${count} ${what}`,
    figure: `${own.rate.toFixed(0)}/s`,
    goal: 'none lost, none twice, all signed',
    detail: `${own.arrived} arrived, ${own.distinct} different, ${own.refused} refused${signed}; stock Postfix on the same machine: ${stock.rate.toFixed(0)}/s (${stock.distinct} arrived)`,
    ok: whole && (own.signed === undefined || own.signed === count),
  };
}

async function measureOwn({ openProvisioned, startReceiver }) {
  const world = await openProvisioned('bench-load');
  try {
    const { rehearsal, lab } = world;
    await must(world.cli(rehearsal.initArguments));
    const document = parseDocument(await readFile(rehearsal.configFile, 'utf8'));
    const limit = 10 * count;
    document.setIn(['servers', rehearsal.hostname, 'limits'], {
      perMinute: limit,
      perHour: limit,
      perDay: limit,
    });
    await writeFile(rehearsal.configFile, document.toString());
    await must(world.cliWithFlags('apply', ['--yes']));
    const receiver = await startReceiver(lab);
    const [user] = rehearsal.mailbox.split('@');
    const incoming = await load(lab, {
      order: { port: 25, from: await publishSender(lab), to: rehearsal.mailbox, label: 'load-in' },
      place: mailboxOf(lab.vps, `/var/vmail/${lab.domain}/${user}/Maildir`),
    });
    const outgoing = await load(lab, {
      order: {
        port: 465,
        secure: true,
        auth: { user: rehearsal.mailbox, pass: rehearsal.password },
        from: rehearsal.mailbox,
        to: `sink@${receiver.domain}`,
        label: 'load-out',
      },
      place: inboxOf(receiver),
    });
    const messages = await receiver.messages();
    const signed = messages.filter(
      (message) =>
        subjectOf(message).startsWith('load-out ') && receiver.readVerdicts(message).dkim === 'pass',
    ).length;
    return { incoming, outgoing: { ...outgoing, signed } };
  } finally {
    await world.lab.down();
  }
}

/** The package's own "Internet Site", a local user, and mail out from the machine itself. */
async function measureStock({ openWorld, startReceiver }) {
  const world = await openWorld({ name: 'bench-stock' });
  try {
    const { lab } = world;
    const setUp = `export DEBIAN_FRONTEND=noninteractive
      printf '%s\\n' 'postfix postfix/main_mailer_type select Internet Site' 'postfix postfix/mailname string ${lab.domain}' | debconf-set-selections
      apt-get update -q && apt-get install -q -y --no-install-recommends postfix && useradd -m ada
      postconf -e 'mydestination = ${lab.domain}, localhost' 'home_mailbox = Maildir/' && systemctl restart postfix`;
    await must(lab.vps.exec(setUp, { timeoutMs: 600_000 }));
    const receiver = await startReceiver(lab);
    const incoming = await load(lab, {
      order: { port: 25, from: await publishSender(lab), to: `ada@${lab.domain}`, label: 'load-in' },
      place: mailboxOf(lab.vps, '/home/ada/Maildir'),
    });
    // Without logins it takes mail for the world from whom it trusts.
    await must(
      lab.vps.exec(
        `postconf -e 'mynetworks = 127.0.0.0/8 ${lab.client.ipv4}/32' && systemctl restart postfix`,
      ),
    );
    const outgoing = await load(lab, {
      order: { port: 25, from: await publishSender(lab), to: `sink@${receiver.domain}`, label: 'load-out' },
      place: inboxOf(receiver),
    });
    return { incoming, outgoing };
  } finally {
    await world.lab.down();
  }
}

/** A sender with nothing against it: the client's and the server's address may send for it. */
async function publishSender(lab) {
  if (!(await lab.dns.zones()).some((zone) => zone.startsWith('load.test')))
    await lab.dns.addZone('load.test', {
      records: [
        `load.test. 300 A ${lab.client.ipv4}`,
        `load.test. 300 TXT "v=spf1 ip4:${lab.client.ipv4} ip4:${lab.vps.ipv4} -all"`,
      ],
    });
  return 'writer@load.test';
}

async function load(lab, { order, place }) {
  const before = await place.count();
  const input = JSON.stringify({
    host: lab.vps.ipv4,
    secure: false,
    name: 'load.test',
    count,
    connections,
    ...order,
  });
  const program = join(root, 'scripts/bench/load-program.mjs');
  const sending = must(lab.client.exec(process.execPath, [program], { input, timeoutMs: 600_000 }));
  const settled = settle(place, before);
  const sent = JSON.parse((await sending).stdout);
  if (sent.refused > 0) process.stderr.write(`${sent.refused} refused: ${sent.why.join(' | ')}\n`);
  const at = await settled;
  const subjects = await place.subjects(order.label);
  return {
    rate: (1000 * subjects.length) / (at - sent.started),
    arrived: subjects.length,
    distinct: new Set(subjects).size,
    refused: sent.refused,
  };
}

/** When the last one came: all are there, or nothing more has come for a minute. */
async function settle(place, before) {
  let last = 0;
  let at = Date.now();
  while (last < count && Date.now() - at < 60_000) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = (await place.count()) - before;
    if (now > last) at = Date.now();
    last = now;
  }
  return at;
}

function mailboxOf(vps, folder) {
  const places = `${folder}/new ${folder}/cur`;
  return {
    count: async () => Number((await vps.exec(`find ${places} -type f 2>/dev/null | wc -l`)).stdout),
    subjects: async (label) => {
      const { stdout } = await vps.exec(`grep -rh -m1 '^Subject: ${label} ' ${places}`);
      return stdout.split('\n').filter((line) => line !== '');
    },
  };
}

function inboxOf(receiver) {
  return {
    count: async () => (await readdir(join(receiver.labHost.root, 'var/mail/receiver/inbox/new'))).length,
    subjects: async (label) =>
      (await receiver.messages()).map(subjectOf).filter((subject) => subject.startsWith(`${label} `)),
  };
}

const subjectOf = ({ headers }) => headers.find(({ name }) => name === 'subject')?.value ?? '';

async function must(result) {
  const done = await result;
  if (done.code !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
  return done;
}
