// Stand-ins for servers: real SSH, and the answers of one real server, which is asked each question once. Names,
// addresses and hashes are another one's for each; an answer takes as long as it took the real server, behind a line of
// `rtt` milliseconds. Reads its order from the file that is named; prints the host key's fingerprint when it is ready.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import ssh2 from 'ssh2';

const { servers, upstream, rtt } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const factsTag = 'smtp-setup-facts';
const anyMark = `smtp-setup-${'0'.repeat(16)}`;
const real = await connectUpstream();
const answers = new Map();
let turn = Promise.resolve();

const pair = ssh2.utils.generateKeyPairSync('ed25519');
for (const server of servers) await serve(server);
const blob = Buffer.from(pair.public.split(' ')[1], 'base64');
process.stdout.write(`SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}\n`);

function connectUpstream() {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.once('ready', () => resolve(client));
    client.once('error', reject);
    client.connect({ ...upstream, privateKey: readFileSync(upstream.keyFile) });
  });
}

function serve(server) {
  const protocol = new ssh2.Server({ hostKeys: [pair.private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) =>
      context.method === 'publickey' ? context.accept() : context.reject(['publickey']),
    );
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const input = [];
        channel.on('data', (chunk) => input.push(chunk));
        channel.on('end', () => void answer(server, channel, command, Buffer.concat(input).toString()));
      });
    });
  });
  const listener = createServer((socket) => protocol.injectSocket(throughLine(socket)));
  return new Promise((resolve) => listener.listen(22, server.address, resolve));
}

/** The socket as it looks from the far end of a long line. */
function throughLine(socket) {
  socket.setNoDelay(true);
  const later = (send) => setTimeout(send, rtt / 2);
  const { emit, write } = socket;
  socket.emit = (event, ...values) => {
    if (event !== 'data') return emit.call(socket, event, ...values);
    later(() => emit.call(socket, 'data', ...values));
    return true;
  };
  socket.write = (...values) => {
    later(() => socket.destroyed || write.apply(socket, values));
    return true;
  };
  return socket;
}

async function answer(server, channel, command, input) {
  // Each connection has a word of its own, with which its answers begin.
  const mark = /smtp-setup-[0-9a-f]{16}/.exec(command)?.[0] ?? anyMark;
  const neutral = (text) => translate(text.replaceAll(mark, anyMark), server, true);
  const question = { command: neutral(command), input: neutral(input) };
  const key = JSON.stringify(question);
  if (!answers.has(key))
    answers.set(
      key,
      inTurn(() => askReal(question)),
    );
  const { stdout, stderr, code, took } = await answers.get(key);
  const own = (text) =>
    text
      .replaceAll(anyMark, mark)
      .split('\n')
      .map((line) => translateLine(line, server))
      .join('\n');
  await new Promise((resolve) => setTimeout(resolve, took));
  channel.stderr.write(own(stderr));
  channel.write(own(stdout));
  channel.exit(code);
  channel.end();
}

/** An sshd lets ten sessions share a connection; one at a time also times each as if it were alone. */
function inTurn(ask) {
  const asked = turn.then(ask);
  turn = asked.catch(() => undefined);
  return asked;
}

function askReal({ command, input }) {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    real.exec(command, (problem, channel) => {
      if (problem) return reject(problem);
      let [stdout, stderr, code] = ['', '', 0];
      channel.on('data', (chunk) => {
        stdout += chunk;
      });
      channel.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      channel.on('exit', (status) => {
        code = status ?? 1;
      });
      channel.on('close', () => resolve({ stdout, stderr, code, took: performance.now() - begin }));
      channel.end(input);
    });
  });
}

/** An answer of the facts is base64 inside its line. */
function translateLine(line, server) {
  const [tag, name, text, status] = line.split(' ');
  if (tag !== factsTag || status === undefined) return translate(line, server);
  const inside = translate(Buffer.from(text, 'base64').toString('latin1'), server);
  return [tag, name, Buffer.from(inside, 'latin1').toString('base64'), status].join(' ');
}

function translate(text, { words }, back = false) {
  const pairs = new Map(back ? words.map(([ours, theirs]) => [theirs, ours]) : words);
  const any = new RegExp([...pairs.keys()].map(quoted).join('|'), 'g');
  return text.replace(any, (word) => pairs.get(word));
}

function quoted(word) {
  const edge = /^[0-9.]+$|:/.test(word) ? '(?![0-9a-f])' : '';
  return `${word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}${edge}`;
}
