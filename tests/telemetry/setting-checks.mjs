// What the variables and `--otlp` say, for a command by itself.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Place } from '../daemon/daemon-process.mjs';
import { OtlpReceiver } from './otlp-receiver.mjs';

const words = ['eval', '--expr', 'builtins.trace "seen" (1 + 1)'];

/**
 * @param {{ folder: string, script: string | undefined }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
export function* settingChecks({ folder, script }) {
  /**
   * @param {(receiver: OtlpReceiver) => Record<string, string>} variables
   * @param {(receiver: OtlpReceiver, ended: import('../daemon/daemon-process.mjs').Ended) => void} look
   * @param {readonly string[]} [more]
   */
  const withReceiver =
    (variables, look, more = []) =>
    async () => {
      const receiver = await OtlpReceiver.start();
      try {
        const place = new Place(join(folder, 'settings'), script);
        const ended = await place.run([...words, ...more], { env: variables(receiver) });
        assert.equal(ended.stdout, '2\n', ended.stderr);
        assert.equal(ended.code, 0);
        look(receiver, ended);
      } finally {
        receiver.stop();
      }
    };
  const endpoint = (/** @type {OtlpReceiver} */ { httpUrl }) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl });
  const nothingCame = (/** @type {OtlpReceiver} */ { spans, metrics, logs }) =>
    assert.deepEqual([spans.length, metrics.length, logs.length], [0, 0, 0]);

  yield ['nothing is sent without an endpoint', withReceiver(() => ({}), nothingCame)];
  yield ['nothing is sent with --otlp=false', withReceiver(endpoint, nothingCame, ['--otlp=false'])];
  yield [
    'nothing is sent with OTEL_SDK_DISABLED',
    withReceiver((it) => ({ ...endpoint(it), OTEL_SDK_DISABLED: 'true' }), nothingCame, ['--otlp']),
  ];
  yield [
    'names, attributes, headers',
    withReceiver(
      (it) => ({
        ...endpoint(it),
        OTEL_SERVICE_NAME: 'mine',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,team=snow',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20sesame',
      }),
      ({ spans, logs, headers }) => {
        const root = spans.find(({ name }) => name === 'neve eval');
        assert.equal(root?.['service'], 'mine');
        assert.equal(root?.['resource']['deployment.environment.name'], 'test');
        assert.equal(root?.['resource'].team, 'snow');
        assert.equal(root?.['parentSpanId'], undefined);
        assert.ok(headers.every(({ authorization }) => authorization === 'Bearer sesame'));
        const [record] = logs.filter(({ body }) => body.includes('seen'));
        assert.equal(record?.['traceId'], root?.['traceId']);
      },
    ),
  ];
  yield [
    'only the signal that has an endpoint',
    withReceiver(
      ({ httpUrl }) => ({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${httpUrl}/v1/traces` }),
      ({ spans, logs, metrics }) => {
        assert.ok(spans.length > 0);
        assert.deepEqual([logs.length, metrics.length], [0, 0]);
      },
    ),
  ];
  yield [
    'no spans of a root that is not sampled',
    withReceiver(
      (it) => ({ ...endpoint(it), OTEL_TRACES_SAMPLER: 'always_off' }),
      ({ spans, logs }) => {
        assert.equal(spans.length, 0);
        assert.ok(logs.length > 0);
      },
    ),
  ];
  yield [
    'no spans of a trace that its parent does not sample',
    withReceiver(
      (it) => ({ ...endpoint(it), TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }),
      ({ spans }) => assert.equal(spans.length, 0),
    ),
  ];
  yield [
    'the state of a trace goes along',
    withReceiver(
      (it) => ({
        ...endpoint(it),
        TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        TRACESTATE: 'vendor=opaque',
      }),
      ({ spans }) => {
        assert.ok(spans.length > 0);
        assert.ok(spans.every(({ traceState }) => traceState === 'vendor=opaque'));
      },
    ),
  ];
  yield [
    'a variable that is wrong is told once, and the command works',
    withReceiver(
      (it) => ({ ...endpoint(it), OTEL_BSP_MAX_QUEUE_SIZE: 'many', OTEL_TRACES_SAMPLER: 'sometimes' }),
      ({ spans }, { stderr }) => {
        assert.equal(stderr.split('\n').filter((line) => line.startsWith('warning:')).length, 1, stderr);
        assert.match(stderr, /OTEL_BSP_MAX_QUEUE_SIZE=many/);
        assert.ok(spans.length > 0);
      },
    ),
  ];
}
