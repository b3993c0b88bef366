/**
 * The suite of build services with every kind of sandbox: as whoever runs the tests; and where that is root, with build
 * users, and as an ordinary user in a process of its own.
 */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import { buildServiceCases } from '../testing/index.ts';
import { removeAnyTree } from './build-folders.ts';
import type { BuildUser } from './build-users.ts';
import { hostSystems } from './host.ts';
import { type LocalBuilder, localBuilder } from './local-builder.ts';
import { sandboxNames } from './sandbox/choose-sandbox.ts';

const [system = ''] = hostSystems();
const isRoot = process.getuid?.() === 0;

const buildUsers: readonly BuildUser[] = Array.from({ length: 6 }, (_, i) => ({
  uid: 1_000_000 + i * 65_536,
  gid: 1_000_000 + i * 65_536,
  count: 65_536,
}));

const modes = [
  { who: isRoot ? 'as root' : 'as an ordinary user', users: undefined, isPossible: true },
  { who: 'with build users (only root can have them)', users: buildUsers, isPossible: isRoot },
] as const;

for (const sandbox of sandboxNames) {
  for (const { who, users, isPossible } of modes) {
    describe.runIf(isPossible)(`${sandbox} ${who}`, () => {
      const [blobs, directories] = [memoryBlobs(), memoryDirectories()];
      let folder: string;
      let service: LocalBuilder;

      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'neve-build-'));
        chmodSync(folder, 0o711);
        service = await localBuilder({ folder, blobs, directories, sandbox, buildUsers: users });
      });

      afterAll(async () => {
        const left = readdirSync(join(folder, 'builds'));
        await service[Symbol.asyncDispose]();
        await removeAnyTree(folder);
        expect(left, 'folders of builds').toEqual([]);
      });

      const traits = { system, saysSignal: sandbox === 'unshare', observes: true };
      for (const complianceCase of buildServiceCases) {
        test.concurrent(complianceCase.name, async () => {
          await complianceCase.run({ service, blobs, directories, traits });
        });
      }
    });
  }
}

describe.runIf(isRoot)('as an ordinary user, in another process (only root can start one)', () => {
  const ordinary = 65_534;
  let folder: string;
  const results = new Map<string, string>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neve-build-'));
    chmodSync(folder, 0o755);
    const work = join(folder, 'work');
    mkdirSync(work);
    chownSync(work, ordinary, ordinary);
    const script = await bundleRunner(folder);
    for (const sandbox of sandboxNames) {
      for (const [name, problem] of await runOrdinary(script, [sandbox, join(work, sandbox), system])) {
        results.set(`${sandbox}: ${name}`, problem);
      }
    }
  }, 600_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const sandbox of sandboxNames) {
    for (const { name } of [...buildServiceCases, { name: 'nothing is left' }]) {
      test(`${sandbox}: ${name}`, () => expect(results.get(`${sandbox}: ${name}`)).toBe('well'));
    }
  }

  function runOrdinary(
    script: string,
    args: readonly string[],
  ): Promise<readonly (readonly [string, string])[]> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [script, ...args], {
        uid: ordinary,
        gid: ordinary,
        cwd: '/',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
      child.on('error', reject);
      child.on('close', () =>
        resolve(
          text
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as readonly [string, string]),
        ),
      );
    });
  }
});

/** A program that runs the suite, and prints `[name, problem]` in a line for each case. */
async function bundleRunner(folder: string): Promise<string> {
  const outfile = join(folder, 'runner.cjs');
  symlinkSync(
    fileURLToPath(new URL('../../../../node_modules', import.meta.url)),
    join(folder, 'node_modules'),
  );
  const contents = `
    import { mkdirSync, readdirSync } from 'node:fs';
    import { memoryBlobs, memoryDirectories } from '@neve/castore';
    import { buildServiceCases } from '../testing/index.ts';
    import { localBuilder } from './local-builder.ts';
    async function main() {
      const [sandbox, folder, system] = process.argv.slice(2);
      mkdirSync(folder);
      const [blobs, directories] = [memoryBlobs(), memoryDirectories()];
      const service = await localBuilder({ folder, blobs, directories, sandbox });
      const traits = { system, saysSignal: sandbox === 'unshare', observes: true };
      const report = (name, problem) => console.log(JSON.stringify([name, problem]));
      const open = [...buildServiceCases];
      async function work() {
        for (let next = open.shift(); next !== undefined; next = open.shift()) {
          const { name } = next;
          await next.run({ service, blobs, directories, traits }).then(
            () => report(name, 'well'),
            (error) => report(name, String(error?.stack ?? error)),
          );
        }
      }
      await Promise.all(Array.from({ length: 5 }, work));
      const left = readdirSync(folder + '/builds');
      report('nothing is left', left.length === 0 ? 'well' : left.join(' '));
      await service[Symbol.asyncDispose]();
    }
    void main();`;
  await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    conditions: ['source'],
    // What finds files beside itself.
    external: ['koffi', 'lmdb', '@napi-rs/blake-hash', 'opendal', 'lzma-native', '@mongodb-js/zstd'],
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
