// Runs inside the client's network of a sandbox; bundled by check-dns.mjs.
//   forward JSON   passes DNS on to real servers, half the round-trip time later each way
//   check JSON     runs the checks of a domain once, and says how long they took and what was asked
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { runDnsChecks } from '../../src/checks/run.ts';
import { createAuthoritativeResolver, createRecursiveResolver, query } from '../../src/dns/resolver/index.ts';

const later = (ms, call) => (ms === 0 ? call() : setTimeout(call, ms));

/** One socket upstream, so that the forwarder itself costs next to nothing: answers are told apart by id and question. */
async function forwardUdp({ port, target, half }) {
  const server = createSocket('udp4');
  const upstream = createSocket('udp4');
  const asking = new Map();
  const keyOf = (message) => `${message.readUInt16BE(0)} ${questionOf(message)}`;
  upstream.on('message', (answer) => {
    const from = asking.get(keyOf(answer));
    if (from !== undefined) later(half, () => server.send(answer, from.port, from.address));
  });
  server.on('message', (message, from) => {
    asking.set(keyOf(message), from);
    later(half, () => upstream.send(message));
  });
  await new Promise((resolve) => upstream.connect(53, target, resolve));
  // Redirected packets come to loopback, and only an answer from there is led back.
  await new Promise((resolve) => server.bind(port, '127.0.0.1', resolve));
}

/** Name and type of the only question (RFC 1035 section 4.1.2); never compressed. */
function questionOf(message) {
  let end = 12;
  while (message[end] > 0) end += message[end] + 1;
  return message.toString('latin1', 12, end + 3).toLowerCase();
}

/** The handshake takes its round trip too: what comes before it is over waits. */
function forwardTcp({ port, target, half }) {
  const pipe = (from, to, extra) => {
    from.on('data', (chunk) => later(half + extra, () => to.write(chunk)));
    from.on('end', () => later(half + extra, () => to.end()));
    from.on('error', () => to.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: target, port: 53, allowHalfOpen: true });
    pipe(near, far, 2 * half);
    pipe(far, near, 0);
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}

async function forward({ targets }) {
  // The rules that lead here leave this user's own sockets alone.
  process.setuid(65534);
  for (const target of targets) {
    await forwardUdp(target);
    await forwardTcp(target);
  }
  process.stdout.write('ready\n');
}

async function check({ resolver, target }) {
  const asked = new Map();
  const counted = (server, name, type, options = {}) => {
    const { recursion = true, checkingDisabled = false, transport } = options;
    const question = { server: server.address, name, type, recursion, tcp: transport === 'tcp' };
    asked.set(JSON.stringify({ ...question, checkingDisabled, transport }), question);
    return query(server, name, type, options);
  };
  const recursive = createRecursiveResolver({ servers: [{ address: resolver, port: 53 }], query: counted });
  const anchors = [target.domain, target.host];
  const authoritative = createAuthoritativeResolver({ recursive, query: counted, anchors, remember: true });
  const cpu = process.cpuUsage();
  const before = performance.now();
  const report = await runDnsChecks(
    { targets: [target], resolver },
    { authoritative, recursive, now: Date.now, privateNetwork: true },
  );
  const ms = performance.now() - before;
  const { user, system } = process.cpuUsage(cpu);
  const bad = report.results.filter(({ status }) => status === 'fail' || status === 'unknown');
  const result = { ms, cpu: (user + system) / 1000, bad, questions: [...asked.values()] };
  process.stdout.write(JSON.stringify({ ...result, count: report.results.length }));
}

const [mode, order] = process.argv.slice(2);
await (mode === 'forward' ? forward : check)(JSON.parse(order));
