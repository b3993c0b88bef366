// The daemon's own life: who may have its socket, how it ends, what its clients hear then, and what strangers can do.

import assert from 'node:assert/strict';
import { linkSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { makeCertificate } from '../lib/tls-certificate.mjs';
import { Place, waitUntil } from './daemon-process.mjs';

/** @typedef {import('./sharing-checks.mjs').Check} Check */
/** @typedef {import('./sharing-checks.mjs').Context} Context */

const waits = `derivation {
  name = "waits"; system = builtins.currentSystem; builder = "/bin/sh";
  args = [ "-c" "echo begun; read -r x < /dev/zero" ];
}`;
const waitingWords = ['build', '--daemon', '--no-link', '-L', '--expr', waits];

/** @param {Context} context @returns {readonly Check[]} */
export function lifeChecks({ folder, script }) {
  let count = 0;
  /** @param {(place: Place) => Promise<void>} body @returns {() => Promise<void>} */
  const inPlace = (body) => async () => {
    const place = new Place(join(folder, `life-${++count}`), script);
    try {
      await body(place);
    } finally {
      place.killAll();
    }
  };
  return [
    ['only the user can open the socket', inPlace(onlyUser)],
    ['a second daemon is refused, and says who has the socket', inPlace(secondDaemon)],
    ['a daemon takes over the socket of a killed one', inPlace(takesOver)],
    ['interrupted builds end as they do without a daemon', inPlace(interrupted)],
    ['an interrupted evaluation ends as it does without a daemon', inPlace(interruptedEvaluation)],
    ['clients of a killed daemon fail clearly', inPlace(killed)],
    ['without a daemon clients fail clearly, and can do without', inPlace(noDaemon)],
    ['a daemon that is stopped waits for its commands, or ends them', inPlace(stopped)],
    ['a client waits for the next daemon while one is ending', inPlace(handOver)],
    ['a client of another version is told so', inPlace(otherVersion)],
    ['garbage on the socket harms nobody', inPlace(garbage)],
    ['what listens and is no daemon is told apart', inPlace(noSuchServer)],
    ['commands are refused at host:port, stores are served', inPlace(network)],
    ['at host:port it speaks TLS, and asks for certificates where it is told to', inPlace(overTls)],
    ['it ends when nobody needs it', inPlace(idle)],
    ['it takes the socket that systemd hands over', inPlace(activation)],
    ['the setting says where it is, and --no-daemon that it is not wanted', inPlace(setting)],
    ['files of the client itself are read by the client', inPlace(ownFiles)],
  ];
}

/** @param {Place} place */
async function onlyUser(place) {
  const daemon = await place.daemon();
  assert.equal(statSync(place.socket).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(place.socket)).mode & 0o777, 0o700);
  assert.equal((await daemon.end()).code, 0);
  const open = join(place.folder, 'open');
  mkdirSync(open, { mode: 0o777 });
  await new Promise((fulfil) => spawn('chmod', ['777', open]).on('exit', fulfil));
  const refused = await place.run(['daemon', '--listen', `unix:${open}/socket`]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /others can write to/);
}

/** @param {Place} place */
async function secondDaemon(place) {
  const daemon = await place.daemon();
  const second = await place.run(['daemon']);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`another daemon, process ${daemon.child.pid}, listens at`));
  assert.equal((await place.client(['eval', '--expr', '1'])).stdout, '1\n');
  await daemon.end();
}

/** @param {Place} place */
async function takesOver(place) {
  const first = await place.daemon();
  await first.end('SIGKILL');
  assert.ok(statSync(place.socket).isSocket());
  const second = await place.daemon();
  assert.equal((await place.client(['eval', '--expr', '1'])).stdout, '1\n');
  await second.end();
}

/** @param {Place} place */
async function interrupted(place) {
  const daemon = await place.daemon();
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])) {
    const both = [];
    for (const words of [waitingWords, [...waitingWords, '--no-daemon']]) {
      const client = place.start(words);
      await waitUntil(() => client.texts.stderr.includes('waits> begun'));
      client.child.kill(signal);
      both.push(await client.ended);
    }
    assert.equal(both[0]?.code, code);
    assert.deepEqual(both[0], both[1]);
  }
  await waitUntil(async () => (await place.status()).builds.running === 0);
  await daemon.end();
}

/** @param {Place} place */
async function interruptedEvaluation(place) {
  const daemon = await place.daemon();
  const words = [
    'eval',
    '--expr',
    'let f = n: if n == 0 then 0 else f (n - 1) + f (n - 1); in builtins.trace "on" (f 60)',
  ];
  const both = [];
  for (const env of [{ NEVE_DAEMON: '1' }, { NEVE_DAEMON: '0' }]) {
    const client = place.start(words, { env });
    await waitUntil(() => client.texts.stderr.includes('trace: on'));
    client.child.kill('SIGINT');
    both.push(await client.ended);
  }
  assert.deepEqual(both[0], both[1]);
  await waitUntil(async () => (await place.status()).commands.length === 0);
  await daemon.end();
}

/** @param {Place} place */
async function killed(place) {
  const daemon = await place.daemon();
  const client = place.start(waitingWords);
  await waitUntil(() => client.texts.stderr.includes('waits> begun'));
  await daemon.end('SIGKILL');
  const { code, stderr } = await client.ended;
  assert.equal(code, 1);
  assert.match(stderr, /error: the daemon at '.*' went away before the command had ended/);
  const next = await place.daemon();
  assert.equal((await place.client(['eval', '--expr', '1'])).stdout, '1\n');
  await next.end();
}

/** @param {Place} place */
async function noDaemon(place) {
  const { code, stdout, stderr } = await place.client(['eval', '--expr', '1']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^error: there is no daemon at '.*': start it with 'neve daemon'/);
  assert.equal((await place.client(['eval', '--no-daemon', '--expr', '1'])).stdout, '1\n');
  assert.equal((await place.client(['eval', '--daemon=nowhere', '--expr', '1'])).code, 1);
  assert.equal((await place.run(['daemon', 'status'])).code, 1);
  assert.equal((await place.run(['daemon', 'stop'])).code, 1);
}

/** @param {Place} place */
async function stopped(place) {
  const first = await place.daemon();
  const short = place.start([
    'build',
    '--daemon',
    '--no-link',
    '-L',
    '--expr',
    waits.replace('read -r x < /dev/zero', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo > $out'),
  ]);
  await waitUntil(() => short.texts.stderr.includes('waits> begun'));
  const stopping = place.run(['daemon', 'stop']);
  const [{ code: shortCode, stderr: said }, { code: stopCode, stderr: complaint }] = [
    await short.ended,
    await stopping,
  ];
  assert.equal(shortCode, 0, said);
  assert.equal(stopCode, 0, complaint);
  assert.equal((await first.ended).code, 0);
  const second = await place.daemon();
  const long = place.start(waitingWords);
  await waitUntil(() => long.texts.stderr.includes('waits> begun'));
  assert.equal((await place.run(['daemon', 'stop', '--now'])).code, 0);
  const { code, stderr } = await long.ended;
  assert.equal(code, 1);
  assert.match(stderr, /error: the daemon has ended the command: it was stopped, try again/);
  assert.equal((await second.ended).code, 0);
  // It ends at once, perhaps before it has answered.
  const idle = await place.daemon();
  const { code: idleCode, stderr: idleComplaint } = await place.run(['daemon', 'stop']);
  assert.equal(idleCode, 0, idleComplaint);
  assert.equal((await idle.ended).code, 0);
}

/** @param {Place} place */
async function handOver(place) {
  // Long enough for the client to start.
  const first = await place.daemon(['--grace', '4']);
  const long = place.start(waitingWords);
  await waitUntil(() => long.texts.stderr.includes('waits> begun'));
  first.child.kill('SIGTERM');
  await waitUntil(async () => (await place.status()).isEnding);
  const client = place.start(['eval', '--daemon', '--expr', '1']);
  await first.ended;
  assert.equal((await long.ended).code, 1);
  const second = await place.daemon();
  const { code, stdout, stderr } = await client.ended;
  assert.deepEqual([code, stdout], [0, '1\n'], stderr);
  await second.end();
}

/** @param {Place} place */
async function otherVersion(place) {
  const daemon = await place.daemon();
  // A call with protocol 99: field 1 of the command, in field 1 of the request.
  const message = Buffer.from([0x0a, 0x02, 0x08, 99]);
  const { connect: connectHttp } = await import('node:http2');
  const session = connectHttp('http://localhost', { createConnection: () => connect(place.socket) });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/neve.daemon.v1.DaemonService/Evaluate',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
  const [headers] = await Promise.race([once(stream, 'trailers'), once(stream, 'response')]);
  session.destroy();
  assert.equal(headers['grpc-status'], '9');
  assert.match(
    decodeURIComponent(headers['grpc-message']),
    /the daemon speaks version 1 of its protocol, and the client version 99/,
  );
  await daemon.end();
}

/** @param {Place} place */
async function garbage(place) {
  const daemon = await place.daemon();
  for (const bytes of [
    'garbage\r\n\r\n',
    '',
    '\0'.repeat(100_000),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnot frames at all',
  ]) {
    const socket = connect(place.socket);
    socket.on('error', () => undefined);
    socket.end(bytes);
    await Promise.race([once(socket, 'close'), new Promise((fulfil) => setTimeout(fulfil, 200))]);
    socket.destroy();
  }
  // And connections that say nothing.
  const silent = Array.from({ length: 50 }, () => connect(place.socket).on('error', () => undefined));
  assert.equal((await place.client(['eval', '--expr', '1'])).stdout, '1\n');
  for (const it of silent) it.destroy();
  assert.equal((await daemon.end()).code, 0);
}

/** @param {Place} place */
async function noSuchServer(place) {
  const path = join(place.folder, 'run/other');
  const server = createServer((socket) =>
    socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  );
  await new Promise((fulfil) => server.listen(path, () => fulfil(undefined)));
  const other = await place.client(['eval', `--daemon=${path}`, '--expr', '1']);
  server.close();
  assert.equal(other.code, 1);
  assert.match(other.stderr, /^error: /);
  const socket = join(place.folder, 'run/store');
  const store = place.start(['store', 'daemon', '--listen', `unix:${socket}`]);
  await waitUntil(() => store.texts.stderr.includes('listening on'));
  const plain = await place.client(['eval', `--daemon=${socket}`, '--expr', '1']);
  store.child.kill('SIGTERM');
  await store.ended;
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /it is no daemon of this neve/);
}

/** @param {Place} place */
async function network(place) {
  const daemon = await place.daemon(['--listen', `unix:${place.folder}/run/d`, '--listen', '127.0.0.1:0']);
  const portIn = () => /127\.0\.0\.1:(\d+)(?=\D)/.exec(daemon.texts.stderr)?.[1] ?? '';
  await waitUntil(() => portIn() !== '');
  const port = portIn();
  const refused = await place.client(['eval', `--daemon=http://127.0.0.1:${port}`, '--expr', '1']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refuses: .*only for clients at its Unix socket/);
  assert.equal((await place.run(['daemon', 'status', `http://127.0.0.1:${port}`])).code, 0);
  assert.equal((await place.run(['daemon', 'stop', `http://127.0.0.1:${port}`])).code, 1);
  writeFileSync(join(place.workFolder, 'file'), 'contents');
  const remote = ['--store', `grpc+http://127.0.0.1:${port}`];
  const imported = await place.run(['store', 'import', ...remote, 'file']);
  assert.equal(imported.code, 0, imported.stderr);
  const listed = await place.run([
    'store',
    'cat',
    '--store',
    `grpc+unix:${place.folder}/run/d`,
    imported.stdout.trim(),
  ]);
  assert.equal(listed.stdout, 'contents', listed.stderr);
  await daemon.end();
}

/** @param {Place} place */
async function overTls(place) {
  const [server, client] = [
    await makeCertificate(place.folder, 'server'),
    await makeCertificate(place.folder, 'client'),
  ];
  writeFileSync(join(place.workFolder, 'file'), 'contents');
  const words = ['--listen', '127.0.0.1:0', '--tls-cert', server.cert, '--tls-key', server.key];
  const serve = async (/** @type {readonly string[]} */ more) => {
    const daemon = await place.daemon([...words, ...more]);
    // The socket is told of first.
    const urlIn = () => /https:\/\/127\.0\.0\.1:\d+(?=\D)/.exec(daemon.texts.stderr)?.[0] ?? '';
    await waitUntil(() => urlIn() !== '');
    return { daemon, url: urlIn() };
  };
  const importTo = (/** @type {string} */ url) =>
    place.run(['store', 'import', '--store', `grpc+${url}`, 'file']);
  const open = await serve([]);
  assert.match((await importTo(open.url)).stderr, /certificate/);
  const imported = await importTo(`${open.url}?tls-ca=${server.cert}`);
  assert.equal(imported.code, 0, imported.stderr);
  assert.notEqual((await importTo(open.url.replace('https', 'http'))).code, 0);
  await open.daemon.end();
  const closed = await serve(['--tls-client-ca', client.cert]);
  const asStranger = `${closed.url}?tls-ca=${server.cert}`;
  assert.notEqual((await importTo(asStranger)).code, 0);
  const known = `&tls-certificate=${client.cert}&tls-private-key=${client.key}`;
  const again = await importTo(`${asStranger}${known}`);
  assert.equal(again.stdout, imported.stdout, again.stderr);
  await closed.daemon.end();
}

/** @param {Place} place */
async function idle(place) {
  const daemon = await place.daemon(['--idle-timeout', '5']);
  assert.equal((await place.client(['eval', '--expr', '1'])).stdout, '1\n');
  assert.equal((await daemon.ended).code, 0);
}

/** @param {Place} place */
async function activation(place) {
  const path = join(place.folder, 'run/given');
  const server = createServer();
  const before = process.umask(0o177);
  await new Promise((fulfil) => server.listen(path, () => fulfil(undefined)));
  process.umask(before);
  // What systemd does: the descriptor is number 3, and the variables name the process itself.
  const starter = `process.env.LISTEN_PID = String(process.pid); process.argv.splice(1, 1, ${JSON.stringify(place.script)}); require(${JSON.stringify(place.script)});`;
  const file = join(place.folder, 'starter.cjs');
  writeFileSync(file, starter);
  const { fd } = /** @type {{ fd: number }} */ (/** @type {any} */ (server)._handle);
  const child = spawn(process.execPath, [file, 'daemon'], {
    env: { ...place.environment, LISTEN_FDS: '1' },
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => (said += text));
  // Nobody but the daemon takes connections. Node removes the path of a socket that it closes.
  linkSync(path, `${path}-kept`);
  await new Promise((fulfil) => server.close(fulfil));
  renameSync(`${path}-kept`, path);
  await waitUntil(
    () => said.includes('listening on'),
    async () => assert.equal(child.exitCode, null, said),
  );
  const { stdout, stderr } = await place.client(['eval', `--daemon=${path}`, '--expr', '1']);
  assert.equal(stdout, '1\n', stderr + said);
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** @param {Place} place */
async function setting(place) {
  const daemon = await place.daemon();
  const env = { NIX_CONFIG: 'substituters =\ndaemon = 1' };
  assert.equal((await place.run(['eval', '--expr', '1'], { env })).stdout, '1\n');
  assert.equal((await place.status()).finishedCommands, 1);
  assert.equal((await place.run(['eval', '--no-daemon', '--expr', '1'], { env })).stdout, '1\n');
  assert.equal((await place.run(['eval', '--option', 'daemon', place.socket, '--expr', '1'])).stdout, '1\n');
  assert.equal((await place.status()).finishedCommands, 2);
  await daemon.end();
}

/** @param {Place} place */
async function ownFiles(place) {
  const daemon = await place.daemon();
  const { code, stdout, stderr } = await place.client(['eval', '-f', '/dev/stdin'], { stdin: '7' });
  const alone = await place.run(['eval', '-f', '/dev/stdin'], { stdin: '7' });
  // A socket is named by its number.
  const plain = (/** @type {string} */ text) => text.replace(/\[\d+\]/, '');
  assert.deepEqual([code, stdout, plain(stderr)], [alone.code, alone.stdout, plain(alone.stderr)]);
  await daemon.end();
}
