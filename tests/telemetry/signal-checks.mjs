// A signal in the middle of an evaluation that never gives the event loop a turn by itself: what was measured is sent all the
// same, spans that were open have failed, and the process ends as it does without telemetry, by the signal.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Place } from '../daemon/daemon-process.mjs';
import { withServer } from './collector-checks.mjs';
import { OtlpReceiver } from './otlp-receiver.mjs';

/** Says that it has begun, and goes on for hours. */
const endless = `let fold = builtins.foldl' (a: b: b) 0; in builtins.trace "begun"
  (fold (builtins.genList (x: fold (builtins.genList (y: fold (builtins.genList (z: z) 10000)) 10000)) 10000))`;

/** The status of a span. */
const failed = 2;

/** The second that a collector may take, and what a busy machine may add. */
const patienceMs = 6000;

/**
 * @param {{ folder: string, script: string | undefined }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
export function* signalChecks({ folder, script }) {
  const place = new Place(join(folder, 'signals'), script);

  /**
   * @param {NodeJS.Signals} signal
   * @param {Record<string, string>} env
   * @param {readonly string[]} [words]
   */
  // oxlint-disable-next-line eslint/max-params -- by what, where, and which command
  const interrupt = async (signal, env, words = ['eval', '--expr', endless]) => {
    const { child, ended, texts } = place.start(words, { env });
    while (!texts.stderr.includes('begun')) await once(child.stderr, 'data');
    const start = performance.now();
    child.kill(signal);
    const end = await ended;
    assert.ok(performance.now() - start < patienceMs, `it took ${performance.now() - start} ms`);
    assert.deepEqual([end.code, end.signal, end.stdout], [null, signal, '']);
    assert.equal(end.stderr, 'trace: begun\n');
  };

  yield ['without telemetry it ends by the signal', () => interrupt('SIGINT', {})];
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    for (const protocol of ['grpc', 'http/protobuf']) {
      yield [
        `${signal}, ${protocol}: what was measured is sent`,
        async () => {
          const receiver = await OtlpReceiver.start();
          const url = protocol === 'grpc' ? receiver.grpcUrl : receiver.httpUrl;
          const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
          try {
            await interrupt(signal, env);
          } finally {
            receiver.stop();
          }
          const root = receiver.spans.find(({ name }) => name === 'neve eval');
          const evaluation = receiver.spans.find(({ name }) => name === 'Evaluator.evaluate');
          assert.equal(evaluation?.['traceId'], root?.['traceId']);
          assert.ok(receiver.spans.some(({ name }) => name === 'Evaluator.parse'));
          for (const span of [root, evaluation]) assert.equal(span?.['status'].code, failed);
        },
      ];
    }
  }
  yield [
    'a collector that is not there',
    () => interrupt('SIGINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }),
  ];
  yield [
    'a collector that never answers delays the end by little more than a second',
    () =>
      withServer(
        () => undefined,
        (url) => interrupt('SIGINT', { OTEL_EXPORTER_OTLP_ENDPOINT: url }),
      ),
  ];
  yield [
    'search, which opens no store',
    async () => {
      const file = join(place.workFolder, 'packages.nix');
      writeFileSync(file, `{ a = ${endless}; }`);
      const receiver = await OtlpReceiver.start();
      try {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl };
        await interrupt('SIGINT', env, ['search', '-f', file, '', 'x']);
      } finally {
        receiver.stop();
      }
      assert.ok(receiver.spans.some(({ name }) => name === 'neve search'));
    },
  ];
}
