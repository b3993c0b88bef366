// What is written where a person looks: `--trace-file`, also of a run that was killed; `--eval-profiler`; `--tracer tracy`.
// With `--tracy DIR` Tracy's own `tracy-capture` and `tracy-csvexport` from that folder receive a build as well.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Place } from '../daemon/daemon-process.mjs';
import { runHarness } from '../lib/options.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { readCutTrace, slicesOf } from './chrome-trace.mjs';
import { receiveAll } from './tracy-server.mjs';

const usage = `usage: npm run trace-file -- [options]

  --filter TEXT    only checks whose name contains this
  --tracy DIR      where tracy-capture and tracy-csvexport 0.11.1 are, to be tried too
${storeTestUsage}`;

const here = dirname(fileURLToPath(import.meta.url));
const project = join(here, 'trace-project.nix');
const ownScript = resolve(here, '../../apps/cli/dist/neve.cjs');
/** One that nobody else listens on. */
// Below those that the kernel gives to connections, of which other tests make a thousand.
const tracyPort = 28_086;

await runHarness(
  { usage, options: { filter: { type: 'string' }, tracy: { type: 'string' }, ...storeTestOptions } },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const tally = new Tally();
      const options = { tally, filter: values['filter'] };
      await runChecks(checks({ folder, script: values['neve'], tracy: values['tracy'] }), options);
      return tally.conclude();
    }),
);

/**
 * @param {{ folder: string, script: string | undefined, tracy: string | undefined }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
function* checks({ folder, script, tracy }) {
  let places = 0;
  const newPlace = () => new Place(join(folder, `place-${++places}`), script);
  const buildWords = (/** @type {string} */ store) => ['build', '--no-link', '--store', store, '-f', project];

  yield [
    'a build as a trace: files, an import from a derivation, builds and their phases, each on its track',
    async () => {
      const file = join(folder, 'build.json');
      const words = [...buildWords(join(folder, 'trace-store')), '--trace-file', file];
      const ended = await newPlace().run(words);
      assert.equal(ended.code, 0, ended.stderr);
      const events = JSON.parse(readFileSync(file, 'utf8'));
      const slices = slicesOf(events);
      assert.ok(slices.every(({ start, end }) => end >= start));
      const named = (/** @type {string} */ kind) => slices.filter((it) => it.kind === kind);
      assert.deepEqual(
        named('eval.import').map(({ track, name }) => [track, name.replace(/^.*[/-]/, '')]),
        [
          ['evaluation', 'library.nix'],
          ['evaluation', 'imported'],
        ],
      );
      assert.equal(named('eval.import-from-derivation')[0]?.track, 'evaluation');
      const builds = named('realise.build');
      assert.deepEqual(builds.map(({ name }) => name).toSorted(), [
        'realise.build final.drv',
        'realise.build imported.drv',
        'realise.build input.drv',
      ]);
      for (const build of builds) {
        assert.match(build.track, /^builds/);
        const phases = slices.filter(
          ({ kind, start, end, track }) =>
            kind.endsWith('Phase') && track === build.track && start >= build.start && end <= build.end,
        );
        assert.deepEqual(
          phases.map(({ kind, parent }) => [kind, parent?.kind]),
          [
            ['firstPhase', 'build.run'],
            ['secondPhase', 'build.run'],
          ],
        );
      }
      const arrows = (/** @type {string} */ ph) =>
        events.filter((/** @type {{ ph: string }} */ it) => it.ph === ph);
      assert.ok(arrows('s').length > 0);
      assert.deepEqual(
        arrows('s').map((/** @type {{ id: number }} */ { id }) => id),
        arrows('f').map((/** @type {{ id: number }} */ { id }) => id),
      );
    },
  ];

  yield [
    'the trace of a run that was killed can be read',
    async () => {
      const file = join(folder, 'killed.json');
      const text =
        'derivation { name = "long"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "sleep 60" ]; }';
      const words = ['build', '--no-link', '--store', join(folder, 'killed-store'), '--expr', text];
      const child = spawn(process.execPath, [script ?? ownScript, ...words, '--trace-file', file], {
        env: { PATH: process.env['PATH'], HOME: folder, NIX_CONFIG: 'substituters =' },
        stdio: 'ignore',
      });
      const isBuilding = () => existsSync(file) && readFileSync(file, 'utf8').includes('"build.run"');
      for (let waited = 0; !isBuilding() && waited < 600; waited++) await sleep(50);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const slices = slicesOf(readCutTrace(readFileSync(file, 'utf8')));
      assert.ok(slices.some(({ kind, end }) => kind === 'realise.build' && Number.isNaN(end)));
    },
  ];

  yield [
    'a trace file that cannot be written is a warning',
    async () => {
      const ended = await newPlace().run(['eval', '--expr', '1', '--trace-file', '/nowhere/trace.json']);
      assert.deepEqual([ended.stdout, ended.code], ['1\n', 0]);
      assert.match(ended.stderr, /^warning: .*\/nowhere\/trace\.json/);
    },
  ];

  yield [
    'a profile of an evaluation: stacks in a file, and a table',
    async () => {
      const file = join(folder, 'stacks');
      const source = join(folder, 'profiled.nix');
      writeFileSync(source, 'let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 22\n');
      const ended = await newPlace().run(['eval', '-f', source, '--eval-profiler', file]);
      assert.deepEqual([ended.stdout, ended.code], ['17711\n', 0], ended.stderr);
      assert.match(ended.stderr, / 57313 {2}fib at .*profiled\.nix:1:11\n/);
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      const place = source.replaceAll('.', '\\.');
      for (const line of lines) {
        assert.match(line, new RegExp(`^${place}:1:\\d+:fib(;${place}:1:\\d+:fib)* [1-9]\\d*$`));
      }
    },
  ];

  yield [
    'the settings of Nix choose the profiler, its file and its frequency; what fails is profiled too',
    async () => {
      const file = join(folder, 'all-calls');
      const words = ['eval', '--expr', 'let f = x: throw "no"; in f 1', '--eval-profiler', 'flamegraph'];
      const more = ['--option', 'eval-profile-file', file, '--eval-profiler-frequency', '0'];
      const ended = await newPlace().run([...words, ...more]);
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, /error: no/);
      assert.match(ended.stderr, /f at «string»:1:9/);
      assert.ok(existsSync(file));
    },
  ];

  yield [
    'a server of Tracy receives a build',
    async () => {
      const words = [...buildWords(join(folder, 'tracy-store')), '--tracer', 'tracy'];
      const env = { TRACY_PORT: String(tracyPort), TRACY_NO_EXIT: '1' };
      const [text, ended] = await Promise.all([receiveAll(tracyPort), newPlace().run(words, { env })]);
      assert.equal(ended.code, 0, ended.stderr);
      for (const expected of [
        'neve build\0neve\0',
        'realise.build final.drv',
        'secondPhase\0neve\0',
        'evaluation',
        'builds',
      ]) {
        assert.ok(text.includes(expected), `${expected} is told`);
      }
    },
  ];

  if (tracy === undefined) console.log('--tracy is not given: tracy-capture is not tried');
  else
    yield [
      "Tracy's own programs receive a build",
      () => captureBuild({ folder, tracy, run: (words, env) => newPlace().run(words, { env }) }),
    ];

  /** @param {{ folder: string, tracy: string, run: (words: readonly string[], env: Record<string, string>) => Promise<import('../daemon/daemon-process.mjs').Ended> }} options */
  async function captureBuild({ folder: parent, tracy: tools, run }) {
    const file = join(parent, 'build.tracy');
    const port = String(tracyPort + 1);
    const capture = spawn(join(tools, 'tracy-capture'), ['-f', '-o', file, '-a', '127.0.0.1', '-p', port], {
      stdio: 'ignore',
    });
    const captured = once(capture, 'exit');
    const words = [...buildWords(join(parent, 'capture-store')), '--tracer', 'tracy'];
    const ended = await run(words, { TRACY_PORT: port, TRACY_NO_EXIT: '1' });
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await captured, [0, null]);
    const table = execFileSync(join(tools, 'tracy-csvexport'), [file], { encoding: 'utf8' });
    const counts = new Map(
      table
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => [line.split(',')[0], Number(line.split(',')[5])]),
    );
    assert.deepEqual(
      ['neve build', 'realise.build', 'firstPhase', 'secondPhase', 'eval.import'].map((name) =>
        counts.get(name),
      ),
      [1, 3, 3, 3, 2],
    );
  }
}
