// What it costs to be measured: start-up, an evaluation and a build, with a command from before there was telemetry (`--before`),
// without a collector, with one that is absent, and with one that takes everything; with a trace file, with Tracy's client to
// which no server comes, and with the profiler of evaluations. The commands run in turns, each round
// beginning with another one; the ratio is the median of those of each round, and the least of all rounds is shown beside it.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countOption, runHarness } from '../../lib/options.mjs';
import { textTable } from '../../lib/text-table.mjs';
import { storeTestOptions, withWorkingFolder } from '../../store/working-folder.mjs';
import { OtlpReceiver } from '../../telemetry/otlp-receiver.mjs';
import { measure } from '../measure.mjs';
import { median, pairedRatio } from '../statistics.mjs';

const usage = `usage: node tests/bench/telemetry/run.mjs [options]

  --before SCRIPT  a neve that has no telemetry, to compare with
  --file FILE      an expression for the case 'evaluation'; its search path is NIX_PATH
  --rounds N       (default: 7)
  --filter TEXT    only cases whose name contains this
  --neve SCRIPT    the command under test (default: the project's own, bundled)`;

const here = dirname(fileURLToPath(import.meta.url));
const ownScript = resolve(here, '../../../apps/cli/dist/neve.cjs');

const builds = `
builtins.genList (n: derivation {
  name = "small-\${toString n}";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-c" "echo \${toString n} > $out" ];
}) 40
`;

const arithmetic = `
let fold = builtins.foldl' (sum: n: sum + builtins.stringLength (toString n)) 0;
in fold (builtins.genList (n: n) 1500000)
`;

await runHarness(
  {
    usage,
    options: {
      before: { type: 'string' },
      file: { type: 'string' },
      rounds: { type: 'string' },
      filter: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const receiver = await OtlpReceiver.start();
      const script = values['neve'] ?? ownScript;
      const rounds = countOption('rounds', values['rounds'], 7);
      const at = (/** @type {string} */ endpoint) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
      /** @type {Variant[]} */
      const variants = [
        ...(values['before'] === undefined ? [] : [{ name: 'before', script: values['before'], env: {} }]),
        { name: 'off', script, env: {} },
        { name: 'absent', script, env: at('http://127.0.0.1:1') },
        { name: 'HTTP', script, env: at(receiver.httpUrl) },
        { name: 'trace file', script, env: {}, words: ['--trace-file', join(folder, 'trace.json')] },
        { name: 'Tracy', script, env: { TRACY_PORT: '38088' }, words: ['--tracer', 'tracy'] },
        { name: 'profiler', script, env: {}, words: ['--eval-profiler', join(folder, 'stacks')] },
        { name: 'gRPC', script, env: { ...at(receiver.grpcUrl), OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } },
      ];
      writeFileSync(join(folder, 'builds.nix'), builds);
      writeFileSync(join(folder, 'arithmetic.nix'), arithmetic);
      const cases = [
        { name: 'version', words: () => ['--version'] },
        { name: '1+1', words: () => ['eval', '--expr', '1+1'] },
        { name: 'arithmetic', words: () => ['eval', '-f', join(folder, 'arithmetic.nix')] },
        ...(values['file'] === undefined
          ? []
          : [{ name: 'evaluation', words: () => ['eval', '-f', resolve(values['file'])] }]),
        {
          name: 'build of 40',
          words: (/** @type {string} */ store) => [
            ...['build', '--no-link', '--store', store, '-f', join(folder, 'builds.nix')],
          ],
        },
      ].filter(({ name }) => name.includes(values['filter'] ?? ''));
      const rows = [];
      for (const { name, words } of cases) {
        const times = await compare({ folder, words, variants, rounds, receiver });
        rows.push(...rowsOf(name, variants, times));
      }
      receiver.stop();
      console.log(
        textTable([['case', 'telemetry', 'ms of processor, least', 'median', 'ratio', 'spans'], ...rows]),
      );
      return true;
    }),
);

/** @typedef {{ name: string, script: string, env: Readonly<Record<string, string>>, words?: readonly string[] }} Variant */

/**
 * @param {{
 *   folder: string,
 *   words: (store: string) => readonly string[],
 *   variants: readonly Variant[],
 *   rounds: number,
 *   receiver: OtlpReceiver,
 * }} options
 * @returns {Promise<{ seconds: number[], spans: number }[]>} as the variants
 */
async function compare({ folder, words, variants, rounds, receiver }) {
  const times = variants.map(() => ({ seconds: /** @type {number[]} */ ([]), spans: 0 }));
  // The first round writes compiled code, and does not count.
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      const index = (turn + round + 1) % variants.length;
      const variant = variants[index];
      const time = times[index];
      if (variant === undefined || time === undefined) throw new Error('there is no such variant');
      const store = join(folder, 'store');
      rmSync(store, { recursive: true, force: true });
      receiver.clear();
      const seconds = await run({ folder, words: [...words(store), ...(variant.words ?? [])], variant });
      if (round >= 0) time.seconds.push(seconds);
      time.spans = receiver.spans.length;
    }
  }
  return times;
}

/** @param {{ folder: string, words: readonly string[], variant: Variant }} options */
async function run({ folder, words, variant: { script, env } }) {
  mkdirSync(join(folder, 'home'), { recursive: true });
  const { cpuSeconds, code, stderr } = await measure([process.execPath, script, ...words], {
    folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: join(folder, 'home'),
      NIX_PATH: process.env['NIX_PATH'] ?? '',
      NIX_CONF_DIR: join(folder, 'none'),
      // Every run evaluates.
      NEVE_IMAGE: '0',
      NIX_CONFIG: 'substituters =',
      ...env,
    },
  });
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
  return cpuSeconds;
}

/** @param {string} name @param {readonly Variant[]} variants @param {readonly { seconds: number[], spans: number }[]} times */
function rowsOf(name, variants, times) {
  const reference = times[0]?.seconds ?? [];
  return variants.map((variant, index) => {
    const { seconds, spans } = times[index] ?? { seconds: [], spans: 0 };
    const milliseconds = (/** @type {number} */ it) => (it * 1000).toFixed(0);
    return [
      ...[name, variant.name, milliseconds(Math.min(...seconds)), milliseconds(median(seconds))],
      ...[pairedRatio(seconds, reference).toFixed(3), String(spans)],
    ];
  });
}
