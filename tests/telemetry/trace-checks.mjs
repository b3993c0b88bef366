// One trace over four processes, span by span. The processes run when the first check needs them, and end with the last one.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FourProcesses, given } from './four-processes.mjs';
import { OtlpReceiver } from './otlp-receiver.mjs';

/** @typedef {Record<string, any>} Message */

const kinds = { internal: 1, server: 2, client: 3 };
const failed = 2;

/** `substituted` is in the cache only: evaluation reads it; the first derivation is built of it, the other fails. */
const expression = (/** @type {string} */ substituted) => `
let
  answer = builtins.storePath ${substituted};
  system = builtins.currentSystem;
  run = name: script: derivation {
    inherit name system; builder = "/bin/sh"; args = [ "-c" script ];
  };
in {
  good = run "good-\${toString (import answer)}" "echo \${answer} > $out";
  bad = builtins.warn "it will fail" (run "bad" "echo no; exit 7");
}
`;

/**
 * @param {{ folder: string, script: string | undefined, protocol: 'grpc' | 'http/protobuf' }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
export function* traceChecks({ folder, script, protocol }) {
  /** @type {Promise<Seen> | undefined} */
  let running;
  const seen = () => (running ??= runAll({ folder: join(folder, protocol.slice(0, 4)), script, protocol }));
  const check = (/** @type {string} */ name, /** @type {(seen: Seen) => void} */ look) =>
    /** @type {const} */ ([`${protocol}: ${name}`, async () => look(await seen())]);

  yield check('the command did what it was to do', ({ ended }) => {
    assert.equal(ended.code, 100, ended.stderr);
    assert.match(ended.stderr, /bad\.drv[^]*exit code 7/);
    assert.doesNotMatch(ended.stderr, /telemetry/);
  });
  yield check('it is one trace, the one that was given, of four services', ({ trace }) => {
    const services = new Set(trace.all.map(({ service }) => service));
    assert.deepEqual([...services].sort(), ['neve', 'neve-daemon', 'neve-nar-bridge', 'neve-store-daemon']);
    const pids = new Set(trace.all.map(({ resource }) => resource['process.pid']));
    assert.equal(pids.size, 4);
  });
  yield check('every parent is there, and began before its children', ({ trace }) => {
    for (const span of trace.all) {
      if (span['parentSpanId'] === given.spanId) continue;
      const parent = trace.byId.get(span['parentSpanId']);
      assert.ok(parent !== undefined, `${span['name']} of ${span['service']} has no parent`);
      // Clocks of threads and processes are read separately.
      assert.ok(span['start'] - parent['start'] > -20_000_000n, `${parent['name']} > ${span['name']}`);
      assert.ok(span['end'] >= span['start'], span['name']);
    }
    assert.equal(trace.byId.size, trace.all.length, 'ids are used once');
  });
  yield check('client: the command is the root, and failed', ({ trace }) => {
    const root = trace.one('neve', 'neve build');
    assert.equal(root['parentSpanId'], given.spanId);
    assert.equal(root['attributes']['process.exit.code'], 100);
    assert.equal(root['status'].code, failed);
    const others = trace.all.filter(({ service, name }) => service === 'neve' && name !== 'neve build');
    assert.deepEqual(
      others.map(({ name }) => name),
      ['neve.daemon.v1.DaemonService/Build'],
    );
  });
  yield check('client → daemon: both ends of the call', ({ trace }) => {
    const name = 'neve.daemon.v1.DaemonService/Build';
    const called = trace.one('neve', name);
    const served = trace.one('neve-daemon', name);
    assert.equal(called['kind'], kinds.client);
    assert.equal(served['kind'], kinds.server);
    assert.equal(served['parentSpanId'], called['spanId']);
    assert.equal(served['attributes']['rpc.grpc.status_code'], 0);
  });
  yield check('daemon: the evaluation in its thread', ({ trace, substituted }) => {
    const evaluation = trace.one('neve-daemon', 'neve.evaluation');
    assert.equal(trace.parentOf(evaluation)['name'], 'neve.daemon.v1.DaemonService/Build');
    const file = trace.find(
      ({ name, attributes }) => name === 'eval.import' && attributes['code.file.path'] === substituted,
    );
    assert.ok(trace.isWithin(file, evaluation));
    const wanted = trace.find(({ name }) => name === 'eval.import-from-derivation');
    assert.ok(trace.isWithin(wanted, evaluation));
    assert.deepEqual(wanted['attributes']['eval.context'], [substituted]);
  });
  yield check('daemon → store → cache: what evaluation wanted, hop by hop', ({ trace, digest }) => {
    const isOf = (/** @type {Message} */ span) => span['attributes']['path.digest'] === digest;
    const wanted = trace.find(({ name }) => name === 'eval.import-from-derivation');
    const asked = trace.find(
      (span) => span['service'] === 'neve-daemon' && span['name'] === 'PathInfoService.get' && isOf(span),
    );
    assert.ok(trace.isWithin(asked, wanted), 'asked within the evaluation');
    assert.equal(asked['attributes'].instance_name, 'root');
    assert.equal(asked['attributes'].found, true);
    const call = trace.childOf(asked, 'snix.store.v1.PathInfoService/Get', 'neve-daemon');
    assert.equal(call['kind'], kinds.client);
    const served = trace.childOf(call, 'snix.store.v1.PathInfoService/Get', 'neve-store-daemon');
    assert.equal(served['kind'], kinds.server);
    const inStore = trace.childOf(served, 'PathInfoService.get', 'neve-store-daemon');
    assert.equal(inStore['attributes'].instance_name, 'root');
    const near = trace.find((span) => span['attributes'].instance_name === 'near' && isOf(span));
    assert.ok(trace.isWithin(near, inStore));
    assert.equal(near['attributes'].found, false);
    const far = trace.find((span) => span['attributes'].instance_name === 'cache' && isOf(span));
    assert.ok(trace.isWithin(far, inStore));
    assert.equal(far['attributes'].found, true);
    const narInfo = trace.find(
      ({ service, attributes }) =>
        service === 'neve-nar-bridge' && attributes['url.path'] === `/${digest}.narinfo`,
    );
    assert.equal(narInfo['kind'], kinds.server);
    assert.equal(narInfo['attributes']['http.route'], '/{hash}.narinfo');
    assert.equal(narInfo['attributes']['http.response.status_code'], 200);
    const get = trace.parentOf(narInfo);
    assert.deepEqual([get['service'], get['name'], get['kind']], ['neve-store-daemon', 'GET', kinds.client]);
    assert.ok(trace.isWithin(get, far));
  });
  yield check('store → cache: the NAR', ({ trace }) => {
    const nar = trace.find(
      ({ service, attributes }) => service === 'neve-nar-bridge' && attributes['http.route'] === '/nar/…',
    );
    assert.equal(nar['attributes']['http.response.status_code'], 200);
    assert.equal(trace.parentOf(nar)['service'], 'neve-store-daemon');
    const below = trace.find(
      (span) => span['service'] === 'neve-nar-bridge' && span['name'].startsWith('BlobService'),
    );
    assert.match(
      String(below['attributes']['blob.digest'] ?? below['attributes']['blob.count']),
      /^(blake3-|\d)/,
    );
  });
  yield check('daemon: planning, and a build in its phases', ({ trace }) => {
    const decision = trace.find(
      ({ name, attributes }) => name === 'realise.decide' && attributes['decision'] === 'build',
    );
    assert.equal(decision['service'], 'neve-daemon');
    const build = trace.find(
      ({ name, attributes }) => name === 'realise.build' && attributes['path.name'] === 'good-42.drv',
    );
    assert.equal(build['status']?.code ?? 0, 0);
    // A build may be shared: it is beside the wait for it.
    const above = trace.parentOf(build);
    const service = trace.find(
      (span) => span['name'] === 'BuildService.build' && trace.isWithin(span, above),
    );
    const phases = trace.children(service).map(({ name }) => name);
    assert.deepEqual(phases.filter((it) => it.startsWith('build.')).sort(), [
      'build.import-outputs',
      'build.prepare-root',
      'build.run',
    ]);
    const run = trace.childOf(service, 'build.run', 'neve-daemon');
    assert.match(run['attributes']['build.status'], /exit code 0/);
  });
  yield check('daemon → store: what was built is uploaded', ({ trace }) => {
    const imported = trace.all.filter(({ name }) => name === 'build.import-outputs');
    assert.ok(
      trace.all.some(
        (span) =>
          span['service'] === 'neve-store-daemon' &&
          span['kind'] === kinds.server &&
          /Put/.test(span['name']) &&
          imported.some((it) => trace.isWithin(span, it)),
      ),
    );
    const registered = trace.find(({ name }) => name === 'realise.register-outputs');
    const put = (/** @type {Message} */ { service, name }) =>
      service === 'neve-store-daemon' && name.startsWith('PathInfoService.put');
    assert.ok(trace.all.some((span) => put(span) && trace.isWithin(span, registered)));
  });
  yield check('the build that failed, failed each span that it is part of', ({ trace }) => {
    const build = trace.find(
      ({ name, attributes }) => name === 'realise.build' && attributes['path.name'] === 'bad.drv',
    );
    assert.equal(build['status'].code, failed);
    assert.match(build['status'].message, /exit code 7/);
    const [exception] = build['events'].filter((/** @type {Message} */ { name }) => name === 'exception');
    assert.match(exception.attributes['exception.message'], /exit code 7/);
    const path = trace.find(
      ({ name, attributes }) => name === 'realise.path' && attributes['path.name'] === 'bad',
    );
    assert.equal(path['status'].code, failed);
  });
  yield check('metrics: calls, requests, hits and misses, bytes, builds, queues', ({ metrics }) => {
    const of = (/** @type {string} */ name, /** @type {string} */ service) =>
      metrics.filter((it) => it['name'] === name && it['service'] === service);
    const calls = of('rpc.server.call.duration', 'neve-store-daemon');
    const gets = calls.find(({ attributes }) => attributes['rpc.method'] === 'Get');
    assert.ok(gets !== undefined && gets['count'] > 0 && gets['unit'] === 's');
    assert.equal(gets['attributes']['rpc.grpc.status_code'] % 1, 0);
    const [narInfo] = of('http.server.request.duration', 'neve-nar-bridge').filter(
      ({ attributes }) => attributes['http.route'] === '/{hash}.narinfo',
    );
    assert.ok(narInfo !== undefined && narInfo['count'] >= 1);
    const lookups = of('neve.store.lookups', 'neve-store-daemon');
    for (const found of [true, false]) {
      const near = lookups.filter(
        ({ attributes }) => attributes['instance_name'] === 'near' && attributes['found'] === found,
      );
      assert.ok(
        near.some(({ value }) => value > 0),
        `near, found: ${found}`,
      );
    }
    const sent = of('neve.http.server.io', 'neve-nar-bridge').filter(
      ({ attributes }) => attributes['direction'] === 'send',
    );
    assert.ok(sent.some(({ value }) => value > 100));
    for (const direction of ['send', 'receive']) {
      const io = of('neve.rpc.server.io', 'neve-store-daemon');
      assert.ok(io.some(({ attributes, value }) => attributes['direction'] === direction && value > 0));
    }
    const builds = of('neve.build.duration', 'neve-daemon');
    const count = (/** @type {string} */ outcome) =>
      builds.find(({ attributes }) => attributes['outcome'] === outcome)?.['count'];
    assert.deepEqual([count('success'), count('failure')], [1, 1]);
    assert.ok(builds.every(({ sum }) => sum > 0 && sum < 60));
    const queues = of('neve.queue.length', 'neve-daemon');
    assert.ok(queues.length > 0 && queues.every(({ value }) => value === 0));
  });
  yield check('logs are of the trace, and of the span in which they were said', ({ logs, trace }) => {
    const warning = logs.find(({ body }) => body.includes('it will fail'));
    assert.equal(warning?.['traceId'], given.traceId);
    assert.equal(warning?.['severity'], 13);
    assert.ok(trace.byId.has(warning?.['spanId']));
    const error = logs.find(({ body }) => /exit code 7/.test(body));
    assert.equal(error?.['traceId'], given.traceId);
    assert.equal(error?.['severity'], 17);
  });
}

/**
 * @typedef {{
 *   ended: import('../daemon/daemon-process.mjs').Ended,
 *   substituted: string,
 *   digest: string,
 *   trace: Trace,
 *   metrics: Message[],
 *   logs: Message[],
 * }} Seen
 */

/**
 * @param {{ folder: string, script: string | undefined, protocol: 'grpc' | 'http/protobuf' }} options
 * @returns {Promise<Seen>}
 */
async function runAll({ folder, script, protocol }) {
  const receiver = await OtlpReceiver.start();
  const processes = new FourProcesses(folder, script, {
    OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? receiver.grpcUrl : receiver.httpUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  });
  try {
    await processes.start();
    const { substituted, place } = processes;
    writeFileSync(join(place.workFolder, 'default.nix'), expression(substituted));
    const ended = await processes.client(['build', '--no-link', '-k', '-A', 'good', '-A', 'bad'], {
      TRACEPARENT: `00-${given.traceId}-${given.spanId}-01`,
    });
    await processes.stop();
    const trace = new Trace(receiver.spans.filter(({ traceId }) => traceId === given.traceId));
    const digest = substituted.slice('/nix/store/'.length, '/nix/store/'.length + 32);
    return { ended, substituted, digest, trace, metrics: receiver.metrics, logs: receiver.logs };
  } finally {
    processes.killAll();
    receiver.stop();
  }
}

class Trace {
  /** @param {Message[]} spans */
  constructor(spans) {
    this.all = spans;
    this.byId = new Map(spans.map((span) => [span['spanId'], span]));
  }

  /** @param {(span: Message) => boolean} isIt */
  find(isIt) {
    const found = this.all.find(isIt);
    assert.ok(found !== undefined, `no such span: ${isIt}\n${this.toString()}`);
    return found;
  }

  /** @param {string} service @param {string} name */
  one(service, name) {
    const found = this.all.filter((span) => span['service'] === service && span['name'] === name);
    assert.equal(found.length, 1, `${name} of ${service}\n${this.toString()}`);
    return /** @type {Message} */ (found[0]);
  }

  /** @param {Message} span */
  parentOf(span) {
    return this.find(({ spanId }) => spanId === span['parentSpanId']);
  }

  /** @param {Message} span */
  children(span) {
    return this.all.filter(({ parentSpanId }) => parentSpanId === span['spanId']);
  }

  /** @param {Message} span @param {string} name @param {string} service */
  childOf(span, name, service) {
    const found = this.children(span).find((it) => it['name'] === name && it['service'] === service);
    assert.ok(found !== undefined, `${span['name']} has no child ${name} of ${service}\n${this.toString()}`);
    return found;
  }

  /** @param {Message | undefined} span @param {Message} above */
  isWithin(span, above) {
    for (let at = span; at !== undefined; at = this.byId.get(at['parentSpanId'])) {
      if (at === above) return true;
    }
    return false;
  }

  toString() {
    return this.all
      .map(({ service, name, attributes }) => `${service}: ${name} ${JSON.stringify(attributes)}`)
      .join('\n')
      .slice(0, 3000);
  }
}
