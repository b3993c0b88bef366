/** What a local builder does beside building: cleaning up after the dead, keeping what failed, saying why it cannot build. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobService, memoryBlobs, memoryDirectories } from '@neve/castore';
import { Composition, Registry, composeFromUrls } from '@neve/compose';
import { registerCastoreServices } from '@neve/castore/node';
import { buildKind } from '../service-kinds.ts';
import { trialRequest } from '../testing/trial-request.ts';
import { Trial } from '../testing/trial.ts';
import { removeAnyTree } from './build-folders.ts';
import { hostSystems } from './host.ts';
import { type LocalBuilder, localBuilder } from './local-builder.ts';
import { registerBuildServices } from './register-build-services.ts';
import { type SandboxName, sandboxNames } from './sandbox/choose-sandbox.ts';

const [system = ''] = hostSystems();
const traits = { system, saysSignal: false, observes: true };
const directories = memoryDirectories();
const blobs: BlobService = memoryBlobs();

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-build-'));
});

afterEach(() => removeAnyTree(folder));

function open(sandbox?: SandboxName): Promise<LocalBuilder> {
  return localBuilder({ folder: join(folder, 'builder'), blobs, directories, sandbox });
}

describe('a builder that is killed', () => {
  test.each(sandboxNames)(
    'leaves no process, and its folder goes with the next start: %s',
    async (sandbox) => {
      const script = await bundleBuild();
      const child = spawn(process.execPath, [script, sandbox, join(folder, 'builder'), system], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await firstLine(child);
      const builds = join(folder, 'builder', 'builds');
      const [name = ''] = readdirSync(builds);
      const beats = join(builds, name, 'scratch/0/beats');
      await until(() => existsSync(beats));

      // Of a build whose owner runs, nobody takes anything away.
      await using other = await open(sandbox);
      expect(readdirSync(builds)).toContain(name);
      expect(await other.sandboxName()).toBe(sandbox);

      child.kill('SIGKILL');
      await new Promise((resolve) => child.on('close', resolve));
      await until(() => !isGrowing(beats));
      await using next = await open(sandbox);
      expect(readdirSync(builds)).toEqual([]);
      await new Trial({ service: next, blobs, directories, traits }).run('echo made > $out');
    },
    60_000,
  );

  async function bundleBuild(): Promise<string> {
    const outfile = join(folder, 'build.cjs');
    symlinkSync(
      fileURLToPath(new URL('../../../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    );
    const contents = `
      import { memoryBlobs, memoryDirectories } from '@neve/castore';
      import { trialRequest } from '../testing/trial-request.ts';
      import { localBuilder } from './local-builder.ts';
      async function main() {
        const [sandbox, folder, system] = process.argv.slice(2);
        const service = await localBuilder({ folder, blobs: memoryBlobs(), directories: memoryDirectories(), sandbox });
        const script = 'trap "" HUP TERM; (while :; do echo beat >> /build/beats; sleep 0.02; done) & while :; do sleep 1; done';
        await service.build(trialRequest(script, { constraints: { system } }), { onStart: () => console.log('started') });
      }
      void main();`;
    await build({
      stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      conditions: ['source'],
      external: ['koffi', 'lmdb', '@napi-rs/blake-hash', 'opendal', 'lzma-native', '@mongodb-js/zstd'],
      outfile,
      logLevel: 'error',
    });
    return outfile;
  }

  function firstLine(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      child.stdout?.once('data', () => resolve());
      child.once('close', (code) =>
        reject(new Error(`the builder ended with ${code} before its build started`)),
      );
    });
  }

  let seen = { size: -1, atMs: 0 };
  function isGrowing(path: string): boolean {
    const size = readFileSync(path).length;
    if (size !== seen.size) seen = { size, atMs: performance.now() };
    return performance.now() - seen.atMs < 500;
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(20);
  }
});

test('what failed is kept where that is wanted, and nowhere else', async () => {
  await using service = await open();
  const trial = new Trial({ service, blobs, directories, traits });
  const keepFailedIn = join(folder, 'kept');
  const error = await trial.failure('echo why > /build/reason; mkdir /build/x; exit 3', 'failed', {
    keepFailedIn,
  });
  expect(error.status).toEqual({ code: 3 });
  expect(readFileSync(join(error.keptAt ?? '', 'reason'), 'utf8')).toBe('why\n');
  expect(readdirSync(keepFailedIn).length).toBe(1);
  await trial.run('echo made > $out', { keepFailedIn });
  expect(readdirSync(keepFailedIn).length).toBe(1);
  expect((await trial.failure('exit 1', 'failed')).keptAt).toBeUndefined();
});

test('a machine without the programs of a sandbox says what to install', async () => {
  writeFileSync(join(folder, 'bwrap'), '#!/bin/sh\necho the kernel does not want to >&2\nexit 1\n', {
    mode: 0o755,
  });
  const options = { folder: join(folder, 'builder'), blobs, directories };
  for (const [sandbox, said] of [
    ['bubblewrap', 'the kernel does not want to'],
    ['oci', "'crun' or 'runc' is not installed"],
  ] as const) {
    await using service = await localBuilder({
      ...options,
      sandbox,
      programFolders: [folder],
      binSh: '/bin/sh',
    });
    const failure = service.build(trialRequest('echo made > $out', { constraints: { system } }));
    await expect(failure).rejects.toMatchObject({
      code: 'no-sandbox',
      message: expect.stringContaining(said) as string,
    });
  }
});

/** Of the kernel, in the version that knows sockets without a file. */
const hasSocketScope = readFileSync('/proc/kallsyms', 'latin1').includes('hook_unix_stream_connect');

test.runIf(hasSocketScope)(
  'sockets of the host without a file are out of reach, with a network too (needs Landlock 6)',
  async () => {
    const name = `neve-${Math.floor(Math.random() * 1e9)}`;
    const server = createServer((socket) => socket.end('secret'));
    await new Promise<void>((resolve) => server.listen(`\0${name}`, resolve));
    try {
      await using service = await open();
      const trial = new Trial({ service, blobs, directories, traits });
      const script = `
      use Socket;
      socket(S, PF_UNIX, SOCK_STREAM, 0);
      my $name = "\\0${name}";
      # Some versions of Node fill the address with zeros, which then are part of the name.
      for ($name, pack('a108', $name)) {
        print connect(S, pack('S', AF_UNIX) . $_) ? "reached\\n" : ($! + 0) . "\\n";
      }`;
      const log = await trial.printed('/usr/bin/perl /nix/store/script', {
        inputs: new Map([['script', await trial.file(script)]]),
        constraints: {
          network: true,
          readOnlyPaths: ['/usr', '/lib', ...(system === 'x86_64-linux' ? ['/lib64'] : [])],
        },
      });
      // EPERM for the one that is there, ECONNREFUSED for the other.
      expect(new Set(log.trim().split('\n'))).toEqual(new Set(['1', '111']));
    } finally {
      server.close();
    }
  },
);

test('no shell for who wants one', async () => {
  await using service = await localBuilder({
    folder: join(folder, 'builder'),
    blobs,
    directories,
    binSh: join(folder, 'no-such-shell'),
  });
  const trial = new Trial({ service, blobs, directories, traits });
  await expect(trial.run('echo made > $out')).rejects.toMatchObject({ code: 'unsupported' });
});

test('whole ranges of users are given only by root, who has build users for that', async () => {
  await using service = await open();
  const trial = new Trial({ service, blobs, directories, traits });
  await trial.failure('true', 'unsupported', { constraints: { userRange: true } });
});

test.runIf(process.getuid?.() === 0)(
  'a folder that build users cannot pass is named (only root has them)',
  async () => {
    const buildUsers = [{ uid: 2_000_000, gid: 2_000_000 }];
    const options = { folder: join(folder, 'builder'), blobs, directories, buildUsers };
    const request = trialRequest('echo made > $out', { constraints: { system } });
    await using without = await localBuilder({ ...options, sandbox: 'unshare' });
    expect((await without.build(request)).outputs.length).toBe(1);
    await using service = await localBuilder({ ...options, sandbox: 'bubblewrap' });
    await expect(service.build(request)).rejects.toMatchObject({
      code: 'no-sandbox',
      message: expect.stringContaining(`cannot pass through '${folder}'`) as string,
    });
  },
);

test.runIf(process.getuid?.() === 0)('user 0 may give out users (only root can let it)', async () => {
  chmodSync(folder, 0o711);
  for (const sandbox of ['unshare', 'oci'] as const) {
    await using service = await localBuilder({
      folder: join(folder, sandbox),
      blobs,
      directories,
      sandbox,
      buildUsers: [{ uid: 2_000_000, gid: 2_000_000, count: 65_536 }],
    });
    const trial = new Trial({ service, blobs, directories, traits });
    const script =
      'id -u; id -g; echo x > /build/f; chown 65535:7 /build/f; stat -c "%u %g" /build/f; test -d /sys/class && echo sys';
    const log = await trial.printed(script, { constraints: { userRange: true } });
    expect(log).toBe('0\n0\n65535 7\nsys\n');
  }
});

test('a composition names builders by URLs', async () => {
  const registry = new Registry();
  registerCastoreServices(registry);
  registerBuildServices(registry);
  const urls = { blob: 'memory:', directory: 'memory:' };
  for (const type of ['local', 'unshare', 'bwrap', 'oci']) {
    const url = `${type}:${join(folder, type)}`;
    await using composition = new Composition(composeFromUrls({ ...urls, build: url }, registry));
    const service = await composition.get(buildKind);
    expect(await service.systems()).toContain(system);
    const { outputs } = await service.build(trialRequest('echo made > $out', { constraints: { system } }));
    expect(outputs.length).toBe(1);
  }
  await using composition = new Composition(composeFromUrls({ ...urls, build: 'dummy:' }, registry));
  const dummy = await composition.get(buildKind);
  await expect(dummy.build(trialRequest(''))).rejects.toMatchObject({ code: 'unsupported' });
});
