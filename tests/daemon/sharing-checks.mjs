// Clients at the same time: builds that several want, evaluations that hang or want everything, and many at once.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Place, waitUntil } from './daemon-process.mjs';

/** @typedef {readonly [name: string, check: () => Promise<void>]} Check */
/** @typedef {{ folder: string, script: string | undefined }} Context */

const waiting = `derivation {
  name = "shared"; system = builtins.currentSystem; builder = "/bin/sh";
  args = [ "-c" "echo begun; i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; echo over; echo x > $out" ];
}`;

/** @param {Context} context @returns {readonly Check[]} */
export function sharingChecks({ folder, script }) {
  let count = 0;
  /** @param {(place: Place) => Promise<void>} body @param {readonly string[]} [words] */
  const withDaemon = (body, words) => async () => {
    const place = new Place(join(folder, `sharing-${++count}`), script);
    const daemon = await place.daemon(words);
    try {
      await body(place);
    } finally {
      await daemon.end('SIGKILL');
    }
  };
  return [
    [
      'two clients that want the same get one build, and its log both',
      withDaemon(async (place) => {
        const words = ['build', '--daemon', '--no-link', '-L', '--expr', waiting];
        const first = place.start(words);
        await waitUntil(() => first.texts.stderr.includes('shared> begun'));
        const second = place.start(words);
        await waitUntil(() => second.texts.stderr.includes('shared> begun'));
        // It may be over by now.
        assert.ok((await place.status()).builds.running <= 1);
        const [one, two] = await Promise.all([first.ended, second.ended]);
        assert.deepEqual(one, two);
        assert.equal(one.code, 0);
        assert.match(one.stderr, /^building '.*-shared\.drv'\.\.\.\nshared> begun\nshared> over\n$/);
      }),
    ],
    [
      'a client that leaves does not end the build of another; the last one does',
      withDaemon(async (place) => {
        const words = ['build', '--daemon', '--no-link', '-L', '--expr', waiting];
        const [first, second] = [place.start(words), place.start(words)];
        const hasBegun = (/** @type {typeof first} */ it) => it.texts.stderr.includes('shared> begun');
        await waitUntil(() => hasBegun(first) && hasBegun(second));
        first.child.kill('SIGKILL');
        const { code, stderr } = await second.ended;
        assert.equal(code, 0, stderr);
        const endless = waiting.replace('"shared"', '"endless"').replace('400000', '4000000000');
        const third = place.start(['build', '--daemon', '--no-link', '-L', '--expr', endless]);
        await waitUntil(() => third.texts.stderr.includes('endless> begun'));
        third.child.kill('SIGKILL');
        await waitUntil(async () => {
          const { builds, commands } = await place.status();
          return builds.running + commands.length === 0;
        });
      }),
    ],
    [
      'an endless evaluation stalls nobody and ends with its client',
      withDaemon(
        async (place) => {
          const endless = place.start([
            ...['eval', '--daemon', '--expr'],
            "builtins.foldl' (a: b: a) 0 (builtins.genList (x: x) 1000000000000)",
          ]);
          const forever = place.start([
            'eval',
            '--daemon',
            '--expr',
            'let f = n: if n == 0 then 0 else f (n - 1) + f (n - 1); in f 60',
          ]);
          await waitUntil(async () => (await place.status()).commands.length > 0);
          const { code, stdout, stderr } = await place.client(['eval', '--expr', '1'], { timeoutMs: 20_000 });
          assert.deepEqual([code, stdout], [0, '1\n'], stderr);
          endless.child.kill('SIGKILL');
          forever.child.kill('SIGKILL');
          await waitUntil(async () => (await place.status()).commands.length === 0);
        },
        ['--evaluators', '3'],
      ),
    ],
    [
      'an evaluation that wants too much memory fails, and the daemon goes on',
      withDaemon(
        async (place) => {
          const hungry = 'builtins.length (builtins.genList (x: toString x + "text") 100000000)';
          const { code, stderr } = await place.client([
            'eval',
            '--strict',
            '--expr',
            `let l = ${hungry}; in l + builtins.foldl' (a: b: a + builtins.stringLength b) 0 (builtins.genList (x: toString x) 50000000)`,
          ]);
          assert.equal(code, 1);
          assert.match(stderr, /memory/);
          assert.equal((await place.client(['eval', '--expr', '1'])).stdout, '1\n');
        },
        ['--evaluation-memory', '256'],
      ),
    ],
    [
      'twenty clients at once get what they asked for',
      withDaemon(async (place) => {
        const numbers = Array.from({ length: 20 }, (_, index) => index);
        const ended = await Promise.all(
          numbers.map((number) => {
            const name = `of-${number % 5}`;
            const script = `echo ${name} > $out`;
            const expression = `derivation { name = "${name}"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "${script}" ]; }`;
            return number % 2 === 0
              ? place.client(['build', '--no-link', '--expr', expression])
              : place.client(['eval', '--raw', '--expr', `builtins.readFile (${expression})`]);
          }),
        );
        ended.forEach(({ code, stdout, stderr }, number) => {
          assert.equal(code, 0, stderr);
          assert.match(
            stdout,
            number % 2 === 0 ? new RegExp(`-of-${number % 5}\n$`) : new RegExp(`^of-${number % 5}\n$`),
          );
        });
      }),
    ],
    [
      'a client that does not read slows nobody else down',
      withDaemon(async (place) => {
        const loud =
          'builtins.foldl\' (a: b: builtins.trace "a line that nobody reads" a) 0 (builtins.genList (x: x) 3000000)';
        const deaf = place.start(['eval', '--daemon', '--expr', loud]);
        deaf.child.stderr.pause();
        await waitUntil(async () => (await place.status()).commands.length === 1);
        assert.equal((await place.client(['eval', '--expr', '1'])).stdout, '1\n');
        deaf.child.kill('SIGKILL');
        await waitUntil(async () => (await place.status()).commands.length === 0);
      }),
    ],
    [
      'a client elsewhere gets its own folder, variables and files',
      withDaemon(async (place) => {
        writeFileSync(join(place.folder, 'it.nix'), 'builtins.getEnv "WHO" + toString ./.');
        const { stdout } = await place.client(['eval', '--raw', '-f', 'it.nix'], {
          cwd: place.folder,
          env: { WHO: 'me ' },
        });
        assert.equal(stdout, `me ${place.folder}`);
      }),
    ],
  ];
}
