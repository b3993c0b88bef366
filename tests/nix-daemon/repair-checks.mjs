// Damage in the stores of both daemons, and `--repair` by the programs of a Nix. The file that is damaged is the one that clients see: in
// Neve's view it is a hard link to the blob. Checks build on each other's paths, so that they run in this order.

import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/**
 * @typedef {import('./client-programs.mjs').ClientPrograms} ClientPrograms
 * @typedef {import('../lib/command.mjs').Outcome} Outcome
 * @typedef {(program: string, ...args: string[]) => Promise<Outcome>} Run
 * @typedef {{ daemon: 'nix' | 'neve', run: Run }} On
 */

const expressions = `
let
  sh = name: script: derivation {
    inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ];
  };
in rec {
  big = sh "big" "while read -r l; do for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $l; done; done < \${./source} > $out";
  user = sh "user" "echo \${big} > $out";
}
`;

/**
 * @param {ClientPrograms} programs
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
export function* repairChecks(programs) {
  const folder = join(programs.folder, 'repair');
  mkdirSync(folder);
  const file = join(folder, 'default.nix');
  writeFileSync(file, expressions);
  writeFileSync(join(folder, 'source'), 'a line of a source that is large enough\n'.repeat(20_000));
  writeFileSync(join(folder, 'alone'), 'what nobody can make again\n'.repeat(40_000));
  /** @type {readonly On[]} */
  const sides = /** @type {const} */ (['nix', 'neve']).map((daemon) => ({
    daemon,
    run: (program, ...args) =>
      // With content-addressed derivations a Nix takes damaged outputs for good.
      programs.on(
        daemon === 'nix' ? 'plain' : daemon,
        program,
        program === 'nix' ? args : [...args, ...programs.settings],
      ),
  }));
  /** The same on both sides. @type {Record<string, string>} */
  const paths = {};
  /** What is right. @type {Record<string, string>} */
  const digests = {};
  const real = (/** @type {On} */ { daemon }, /** @type {string} */ name) =>
    join(programs.folder, daemon, paths[name] ?? 'nothing');
  const damage = (/** @type {On} */ on, /** @type {string} */ name) => damageFile(real(on, name));
  const isRight = (/** @type {On} */ on, /** @type {string} */ name) =>
    digestOf(real(on, name)) === digests[name];

  /**
   * @param {string} name
   * @param {(on: On) => Promise<unknown>} observe what has to be the same
   * @param {unknown} expected and this
   * @returns {import('../lib/run-checks.mjs').Check}
   */
  const same = (name, observe, expected) => [
    name,
    async () => {
      for (const on of sides) {
        const [is, must] = [await observe(on), expected].map((it) => JSON.stringify(it));
        if (is !== must) throw new Error(`${on.daemon}: ${is}\n  not\n${must}`);
      }
    },
  ];

  yield [
    'what is to be damaged',
    async () => {
      for (const on of sides) {
        const built = await on.run('nix-build', '--no-out-link', file, '-A', 'big', '-A', 'user');
        const [big = '', user = ''] = built.stdout.trim().split('\n');
        const alone = (await on.run('nix-store', '--add', join(folder, 'alone'))).stdout.trim();
        const drv = (await on.run('nix-instantiate', file, '-A', 'big')).stdout.trim();
        const references = (await on.run('nix-store', '--query', '--references', drv)).stdout;
        Object.assign(paths, { big, user, alone, source: references.trim().split('\n').at(-1) });
        for (const name of ['big', 'alone', 'source']) {
          const digest = digestOf(real(on, name));
          if ((digests[name] ??= digest) !== digest) throw new Error(`${name} differs`);
        }
      }
    },
  ];
  yield same(
    'nothing is damaged',
    async (on) => (await on.run('nix-store', '--verify', '--check-contents')).code,
    0,
  );
  yield same(
    'nix-store --verify --repair of an output',
    async (on) => {
      damage(on, 'big');
      const seen = await on.run('nix-store', '--verify', '--check-contents');
      const repaired = await on.run('nix-store', '--verify', '--check-contents', '--repair');
      const again = await on.run('nix-store', '--verify', '--check-contents');
      return [seen.code, repaired.code, again.code, isRight(on, 'big')];
    },
    [1, 0, 0, true],
  );
  yield same(
    'nix-build --repair',
    async (on) => {
      damage(on, 'big');
      const plain = await on.run('nix-build', '--no-out-link', file, '-A', 'big');
      const before = isRight(on, 'big');
      const { code, stdout } = await on.run('nix-build', '--no-out-link', '--repair', file, '-A', 'big');
      return [plain.code, before, code, stdout.trim() === paths['big'], isRight(on, 'big')];
    },
    [0, false, 0, true, true],
  );
  yield same(
    'nix-build --repair of what refers to it',
    async (on) => {
      damage(on, 'big');
      const { code } = await on.run('nix-build', '--no-out-link', '--repair', file, '-A', 'user');
      return [code, isRight(on, 'big')];
    },
    [0, true],
  );
  yield same(
    'nix build --repair adds sources anew, and builds from them',
    async (on) => {
      damage(on, 'source');
      damage(on, 'big');
      const { code } = await on.run(
        'nix',
        'build',
        '--no-link',
        '--repair',
        '-f',
        file,
        'big',
        ...programs.settings,
      );
      return [code, isRight(on, 'source'), isRight(on, 'big')];
    },
    [0, true, true],
  );
  yield same(
    'what is whole is left alone',
    async (on) => (await on.run('nix-build', '--no-out-link', '--repair', file, '-A', 'user')).code,
    0,
  );
  yield same(
    'what nobody can make again stays damaged',
    async (on) => {
      damage(on, 'alone');
      const repaired = await on.run('nix-store', '--verify', '--check-contents', '--repair');
      const alone = await on.run('nix-store', '--realise', '--repair', paths['alone'] ?? '');
      const isTold = repaired.stderr.includes(`cannot repair path '${paths['alone']}'`);
      return [repaired.code, isTold, alone.code !== 0, isRight(on, 'alone')];
    },
    [1, true, true, false],
  );
  yield same(
    'nix-store --realise --repair from a cache',
    async (on) => {
      const cache = join(folder, `cache-${on.daemon}`);
      const other = sides.find((it) => it !== on) ?? on;
      // The other side's is whole when it is copied from there.
      const root = join(folder, `copy-${on.daemon}`);
      const added = await other.run(
        'nix',
        'store',
        'add',
        '--mode',
        'nar',
        '--store',
        root,
        join(folder, 'alone'),
      );
      const copied = await other.run(
        'nix',
        'copy',
        '--from',
        root,
        '--to',
        `file://${cache}`,
        added.stdout.trim(),
      );
      if (copied.code !== 0) throw new Error(added.stderr + copied.stderr);
      const server = await serveFiles(cache);
      try {
        const options = ['--option', 'substitute', 'true', '--option', 'substituters', server.url];
        const got = await on.run('nix-store', '--realise', '--repair', ...options, paths['alone'] ?? '');
        if (got.code !== 0) throw new Error(got.stderr);
      } finally {
        server.close();
      }
      const verified = await on.run('nix-store', '--verify', '--check-contents');
      return [verified.code, isRight(on, 'alone')];
    },
    [0, true],
  );
}

/** @param {string} file */
function damageFile(file) {
  const { mode } = statSync(file);
  chmodSync(file, 0o644);
  const handle = openSync(file, 'r+');
  writeSync(handle, 'DAMAGED', 4321);
  closeSync(handle);
  chmodSync(file, mode);
}

/** @param {string} file */
function digestOf(file) {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'nothing';
}

/** @param {string} folder */
async function serveFiles(folder) {
  const server = createServer((request, response) => {
    const file = join(folder, request.url ?? '');
    if (!existsSync(file)) response.statusCode = 404;
    response.end(existsSync(file) ? readFileSync(file) : '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
