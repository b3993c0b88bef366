/**
 * Google's Bigtable emulator, built from Debian's packages golang-go and golang-google-cloud-dev (no other source is
 * used), which takes half a minute the first time. `NEVE_BIGTABLE_EMULATOR_DIR` says where the program is kept.
 */
import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const source = fileURLToPath(new URL('bigtable/main.go', import.meta.url));

/** @type {import('../run.mjs').Server} */
export const server = {
  name: 'bigtable',
  async start({ folder }) {
    const emulator = await start();
    try {
      const cases = await runTests({ env: emulator.env, report: join(folder, 'report.json') });
      return { suites: [{ name: 'Bigtable', cases }], stop: () => emulator.stop() };
    } catch (error) {
      await emulator.stop();
      throw error;
    }
  },
};

/**
 * The tests of `packages/rpc` that need the emulator, which know more of it than the suites do.
 *
 * @param {{ env: Record<string, string>, report: string }} options
 * @returns {Promise<readonly import('../run.mjs').Case[]>}
 */
async function runTests({ env, report }) {
  const args = [
    'vitest',
    'run',
    '--reporter=json',
    `--outputFile=${report}`,
    'packages/rpc/src/node/bigtable.test.ts',
  ];
  // What failed is in the report.
  await promisify(execFile)('npx', args, { cwd: root, env: { ...process.env, ...env } }).catch(
    () => undefined,
  );
  const { testResults } = JSON.parse(await readFile(report, 'utf8'));
  return testResults.flatMap((/** @type {any} */ file) =>
    file.assertionResults.map((/** @type {any} */ it) => ({
      name: it.fullName,
      run: async () => {
        if (it.status !== 'passed') throw new Error(it.failureMessages.join('\n') || `it was ${it.status}`);
      },
    })),
  );
}

/** @returns {Promise<{ env: Record<string, string>, stop(): Promise<void> }>} `BIGTABLE_EMULATOR_HOST` is host and port */
async function start() {
  const program = await build();
  const child = spawn(program, ['127.0.0.1:0'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const address = await firstLine(child);
  return {
    env: { BIGTABLE_EMULATOR_HOST: address },
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

async function build() {
  const folder = process.env['NEVE_BIGTABLE_EMULATOR_DIR'] ?? join(tmpdir(), 'neve-bigtable-emulator');
  const program = join(folder, 'emulator');
  const built = await stat(program).catch(() => undefined);
  if (built !== undefined && built.mtimeMs > (await stat(source)).mtimeMs) return program;
  const main = join(folder, 'go/src/emulator');
  await mkdir(main, { recursive: true });
  await cp(source, join(main, 'main.go'));
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    GOPROXY: 'off',
    GOFLAGS: '',
    GOPATH: `${join(folder, 'go')}:/usr/share/gocode`,
    GOCACHE: join(folder, 'cache'),
  };
  await promisify(execFile)('go', ['build', '-o', program, 'emulator'], { env, cwd: main });
  return program;
}

/** @param {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, null>} child */
async function firstLine(child) {
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the Bigtable emulator ended before it listened');
}
