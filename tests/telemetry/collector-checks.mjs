// A collector that is not there, that never answers, or that answers nonsense: the command does what it does without one, says
// at most one thing about it, and takes at most the second longer that is granted at its end.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Place } from '../daemon/daemon-process.mjs';

const words = ['eval', '--expr', 'builtins.length (builtins.genList (n: n) 1000)'];

/** What starting a second process and a busy machine may add to the second, in milliseconds. */
const patienceMs = 9000;

/**
 * @param {{ folder: string, script: string | undefined }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
export function* collectorChecks({ folder, script }) {
  const place = new Place(join(folder, 'collectors'), script);

  /** @param {string} endpoint @param {string} protocol */
  const check = async (endpoint, protocol) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
    const start = performance.now();
    const { code, stdout, stderr } = await place.run(words, { env });
    const tookMs = performance.now() - start;
    assert.equal(stdout, '1000\n');
    assert.equal(code, 0);
    assert.ok(stderr.split('\n').length <= 2, stderr);
    assert.ok(tookMs < patienceMs, `it took ${tookMs} ms`);
  };

  for (const protocol of ['grpc', 'http/protobuf']) {
    yield [`${protocol}: nobody listens`, () => check('http://127.0.0.1:1', protocol)];
    yield [`${protocol}: a host that is not known`, () => check('http://collector.invalid:4317', protocol)];
    yield [
      `${protocol}: it takes connections and never answers`,
      () =>
        withServer(
          () => undefined,
          (url) => check(url, protocol),
        ),
    ];
    yield [
      `${protocol}: it closes every connection`,
      () =>
        withServer(
          (socket) => socket.destroy(),
          (url) => check(url, protocol),
        ),
    ];
    yield [
      `${protocol}: it speaks something else`,
      () =>
        withServer(
          (socket) => socket.end('SSH-2.0-x\r\n'),
          (url) => check(url, protocol),
        ),
    ];
  }
  yield [
    'a server ends at its signal, though the collector never answers',
    () =>
      withServer(
        () => undefined,
        async (url) => {
          const { child, ended, texts } = place.start(
            ['nar-bridge', '--store', join(folder, 'collectors/store'), '--listen', '127.0.0.1:0'],
            { env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } },
          );
          while (!texts.stderr.includes('listening on')) await once(child.stderr, 'data');
          const start = performance.now();
          child.kill('SIGTERM');
          const { code } = await ended;
          assert.equal(code, 0, texts.stderr);
          assert.ok(performance.now() - start < patienceMs);
        },
      ),
  ];
}

/**
 * @param {(socket: import('node:net').Socket) => void} take
 * @param {(url: string) => Promise<void>} use
 */
export async function withServer(take, use) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    take(socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  try {
    await use(`http://127.0.0.1:${address.port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
