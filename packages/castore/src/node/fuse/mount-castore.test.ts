/**
 * Real mounts, looked at by other processes. They need root and /dev/fuse; without, the reason is in the name of what is
 * skipped.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { chmod, chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encodeHex, encodeUtf8 } from '@neve/bytes';
import { build } from 'esbuild';
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { B3Digest } from '../../b3-digest.ts';
import type { BlobService } from '../../blob-service.ts';
import type { CastoreError } from '../../castore-error.ts';
import { Directory } from '../../directory.ts';
import type { DirectoryEntry } from '../../directory.ts';
import { memoryBlobs } from '../../memory-blobs.ts';
import { memoryDirectories } from '../../memory-directories.ts';
import type { DirectoryNode, FileNode, Node } from '../../node.ts';
import { PathComponent, pathComponent, symlinkTarget } from '../../path-component.ts';
import { mountCastore } from './mount-castore.ts';
import type { CastoreMount, MountOptions } from './mount-castore.ts';

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'FUSE is tested on Linux only';
  if (process.geteuid?.() !== 0) return 'mounting needs root';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch {
    return '/dev/fuse cannot be opened';
  }
  return undefined;
}

const reason = whyNot();
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'neve-fuse-')));
const mounts: CastoreMount[] = [];
let count = 0;

afterEach(async () => {
  for (const mount of mounts.splice(0)) await mount[Symbol.asyncDispose]();
});

afterAll(async () => {
  expect(mountsInFolder()).toEqual([]);
  await rm(folder, { recursive: true });
});

/** `script` is run by `sh` with the mountpoint as its first argument; what it prints, and its exit code. */
async function sh(script: string, at: string): Promise<{ out: string; error: string; code: number }> {
  try {
    const options = { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1 << 26 };
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script, 'sh', at], options);
    return { out: stdout, error: stderr, code: 0 };
  } catch (error) {
    const failed = error as { stdout: string; stderr: string; code: number };
    return { out: failed.stdout, error: failed.stderr, code: failed.code };
  }
}

async function python(script: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('python3', ['-c', script, ...args]);
  return stdout;
}

function mountsInFolder(): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((path) => path.startsWith(folder));
}

class World {
  readonly blobs: BlobService = memoryBlobs();
  readonly directories = memoryDirectories();

  async file(text: string | Uint8Array, executable = false): Promise<FileNode> {
    const bytes = typeof text === 'string' ? encodeUtf8(text) : text;
    return { kind: 'file', digest: await this.blobs.put(bytes), size: bytes.length, executable };
  }

  async directory(nodes: Readonly<Record<string, Node>>): Promise<DirectoryNode> {
    return await this.directoryOf(
      Object.entries(nodes).map(([name, node]) => ({ name: pathComponent(name), node })),
    );
  }

  async directoryOf(entries: readonly DirectoryEntry[]): Promise<DirectoryNode> {
    const directory = Directory.of(entries);
    await this.directories.put(directory);
    return directory.node;
  }

  async mount(
    root: MountOptions['root'],
    options: Partial<MountOptions> = {},
  ): Promise<{ path: string; mount: CastoreMount; errors: CastoreError[] }> {
    const path = options.mountpoint ?? join(folder, `mount ${count++}`);
    await mkdir(path, { recursive: true });
    const errors: CastoreError[] = [];
    const { blobs, directories } = this;
    const onError = (error: CastoreError): void => void errors.push(error);
    const mount = await mountCastore({ mountpoint: path, root, blobs, directories, onError, ...options });
    mounts.push(mount);
    return { path, mount, errors };
  }
}

async function sampleTree(world: World): Promise<DirectoryNode> {
  const hello = await world.file('hello\n');
  const inner = await world.directory({
    hello,
    link: { kind: 'symlink', target: symlinkTarget('../hello') },
  });
  return await world.directory({
    hello,
    again: hello,
    run: { ...(await world.file('#!/bin/sh\necho ran "$1"\n', true)) },
    helloToRun: { ...hello, executable: true },
    empty: await world.file(''),
    a: inner,
    b: inner,
    nowhere: { kind: 'symlink', target: symlinkTarget('/does/not/exist') },
    none: await world.directory({}),
  });
}

describe.skipIf(reason !== undefined)(
  `a mounted castore${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('shows what the nodes say', async () => {
      const world = new World();
      const { path } = await world.mount(await sampleTree(world));
      const listed = await sh(`cd "$1" && stat -c '%n %A %s %Y %u %g %h' * a/*`, path);
      expect(listed).toEqual({
        out: [
          'a dr-xr-xr-x 4 1 0 0 1',
          'again -r--r--r-- 6 1 0 0 1',
          'b dr-xr-xr-x 4 1 0 0 1',
          'empty -r--r--r-- 0 1 0 0 1',
          'hello -r--r--r-- 6 1 0 0 1',
          'helloToRun -r-xr-xr-x 6 1 0 0 1',
          'none dr-xr-xr-x 0 1 0 0 1',
          'nowhere lr--r--r-- 15 1 0 0 1',
          'run -r-xr-xr-x 24 1 0 0 1',
          'a/hello -r--r--r-- 6 1 0 0 1',
          'a/link lr--r--r-- 8 1 0 0 1',
          '',
        ].join('\n'),
        error: '',
        code: 0,
      });
      expect((await sh('cat "$1/a/link" "$1/empty"; "$1/run" well; readlink "$1/nowhere"', path)).out).toBe(
        'hello\nran well\n/does/not/exist\n',
      );
      expect((await sh('ls -a "$1/none"', path)).out).toBe('.\n..\n');
      expect((await sh('cat "$1/nothing"; cat "$1/nothing"', path)).error).toMatch(
        /No such file.*\n.*No such file/,
      );
      expect((await sh('stat -f -c "%s %l" "$1"', path)).out).toBe('4096 255\n');
      expect(
        (await sh('test -r "$1/hello" && ! test -x "$1/hello" && ! test -w "$1/hello"', path)).code,
      ).toBe(0);
    });

    test('owners can be chosen', async () => {
      const world = new World();
      const { path } = await world.mount(await sampleTree(world), { uid: 1000, gid: 100 });
      expect((await sh('stat -c "%u %g" "$1" "$1/a" "$1/run"', path)).out).toBe('1000 100\n'.repeat(3));
    });

    test('numbers: same contents, same file; not with another mode; directories are by their place', async () => {
      const world = new World();
      const { path } = await world.mount(await sampleTree(world));
      const number = async (name: string): Promise<number> => (await stat(join(path, name))).ino;
      expect(await number('hello')).toBe(await number('again'));
      expect(await number('hello')).toBe(await number('a/hello'));
      expect(await number('hello')).not.toBe(await number('helloToRun'));
      expect(await number('a')).not.toBe(await number('b'));
      // `cp` takes two directories with one number for one, and a working directory stays where it was.
      const copied = await sh('cp -r "$1/a" "$1/b" "$1/none" "$1.copy" 2>&1 || exit', await withCopy(path));
      expect(copied).toEqual({ out: '', error: '', code: 0 });
      expect(
        (await sh('cd "$1/a" && ls -l ../b >/dev/null && cd -P .. && ls a/hello && cd a && pwd -P', path))
          .out,
      ).toBe(`a/hello\n${path}/a\n`);
    });

    test('copies are equal, by many readers at once', async () => {
      const world = new World();
      const { path } = await world.mount(await sampleTree(world));
      const runs = Array.from({ length: 6 }, async (_, at) => {
        const target = `${await withCopy(path)}.copy/${at}`;
        return await sh(`cp -r "$1" "${target}" && diff -r --no-dereference "$1" "${target}"`, path);
      });
      for (const run of await Promise.all(runs)) expect(run).toEqual({ out: '', error: '', code: 0 });
    });

    test('nothing can be written', async () => {
      const world = new World();
      const { path } = await world.mount(await sampleTree(world));
      const attempts = [
        'echo x > "$1/hello"',
        'echo x > "$1/new"',
        'echo x >> "$1/run"',
        'rm -f "$1/hello"',
        'mkdir "$1/new"',
        'chmod 600 "$1/hello"',
        'touch "$1/hello"',
        'ln -s a "$1/new"',
        'mv "$1/a" "$1/c"',
      ];
      for (const attempt of attempts) {
        const { code, error } = await sh(attempt, path);
        expect(code, attempt).not.toBe(0);
        expect(error, attempt).toContain('Read-only file system');
      }
      const setxattr =
        'import os,sys\ntry: os.setxattr(sys.argv[1], "user.a", b"b")\nexcept OSError as e: print(e.errno)';
      expect(await python(setxattr, join(path, 'hello'))).toBe('30\n');
    });

    test('extended attributes have the digests', async () => {
      const world = new World();
      const root = await sampleTree(world);
      const { path } = await world.mount(root);
      const script = `
import os, sys
for name in sys.argv[2:]:
  path = os.path.join(sys.argv[1], name)
  for attribute in os.listxattr(path, follow_symlinks=False):
    print(name, attribute, os.getxattr(path, attribute, follow_symlinks=False).decode())
try: os.getxattr(sys.argv[1], 'user.other')
except OSError as error: print(error.errno)`;
      const hello = (await world.file('hello\n')).digest.toString();
      const inner = (await world.directories.get(root.digest))?.get(pathComponent('a'));
      const a = inner?.kind === 'directory' ? inner.digest.toString() : '';
      expect(await python(script, path, '.', 'hello', 'a', 'nowhere')).toBe(
        [
          `. user.neve.castore.directory.digest ${root.digest.toString()}`,
          `. user.snix.castore.directory.digest ${root.digest.toString()}`,
          `hello user.neve.castore.blob.digest ${hello}`,
          `hello user.snix.castore.blob.digest ${hello}`,
          `a user.neve.castore.directory.digest ${a}`,
          `a user.snix.castore.directory.digest ${a}`,
          '61',
          '',
        ].join('\n'),
      );
      const without = await world.mount(root, { xattrs: false });
      expect(
        await python('import os,sys;print(os.listxattr(sys.argv[1]))', join(without.path, 'hello')),
      ).toBe('[]\n');
    });

    test('names that are not UTF-8', async () => {
      const world = new World();
      const node = await world.file('x');
      const names = [
        [0xff, 0xfe],
        [0x0a],
        [0x20, 0x22, 0x5c],
        [0xc3],
        Array.from({ length: 255 }, () => 0xe4),
      ];
      const root = await world.directoryOf(
        names.map((bytes) => ({ name: new PathComponent(Uint8Array.from(bytes)), node })),
      );
      const { path } = await world.mount(root);
      const script = `
import os, sys
for name in sorted(os.listdir(sys.argv[1].encode())):
  print(name.hex(), open(os.path.join(sys.argv[1].encode(), name)).read())
try: os.stat(os.path.join(sys.argv[1], 'n' * 256))
except OSError as error: print(error.errno)`;
      const expected = names.map((bytes) => `${encodeHex(Uint8Array.from(bytes))} x`).sort();
      expect(await python(script, path)).toBe([...expected, '36', ''].join('\n'));
    });

    test('a large file at random places, and all of it by several processes', async () => {
      const world = new World();
      const bytes = new Uint8Array(24 << 20);
      for (let at = 0, state = 1; at < bytes.length; at++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        bytes[at] = state >>> 24;
      }
      const { path } = await world.mount(await world.directory({ large: await world.file(bytes) }));
      const copy = join(folder, 'large');
      await writeFile(copy, bytes);
      const script = `
import os, random, sys
a, b = (os.open(path, os.O_RDONLY) for path in sys.argv[1:])
size = os.fstat(b).st_size
assert os.fstat(a).st_size == size
for i in range(300):
  offset, length = random.randrange(size + 1000), random.choice([1, 100, 4096, 70000, 2000000])
  if i % 30 == 0: os.posix_fadvise(a, 0, 0, os.POSIX_FADV_DONTNEED)
  assert os.pread(a, length, offset) == os.pread(b, length, offset), (offset, length)
print('equal')`;
      const large = join(path, 'large');
      const all = await Promise.all([
        python(script, large, copy),
        python(script, large, copy),
        sh(`cmp "$1/large" ${copy} && sha256sum < "$1/large" && sha256sum < ${copy}`, path),
      ]);
      expect(all[0] + all[1]).toBe('equal\nequal\n');
      expect(all[2].code).toBe(0);
      expect(new Set(all[2].out.trim().split('\n')).size).toBe(1);
    });

    test('5,000 files', async () => {
      const world = new World();
      const names = Array.from({ length: 5000 }, (_, at) => `file ${at}`);
      const entries = await Promise.all(
        names.map(async (name) => ({ name: pathComponent(name), node: await world.file(name) })),
      );
      const many = await world.directoryOf(entries);
      const { path } = await world.mount(
        await world.directory({ many, deep: await world.directory({ many }) }),
      );
      const found = await sh(
        'find "$1" -type f | wc -l; ls "$1/many" | wc -l; ls -lU "$1/many" | wc -l',
        path,
      );
      expect(found.out.split('\n').map(Number)).toEqual([10_000, 5000, 5001, 0]);
      const script = `
import os, sys
for name in os.listdir(sys.argv[1]): assert open(os.path.join(sys.argv[1], name)).read() == name
print('equal')`;
      expect(await python(script, join(path, 'deep/many'))).toBe('equal\n');
    });

    test('a root of nodes that come and go, with and without a list', async () => {
      const world = new World();
      const nodes = new Map<string, Node>([['tree', await sampleTree(world)]]);
      const get = async (name: PathComponent): Promise<Node | undefined> => nodes.get(name.toString());
      const list = async function* (): AsyncGenerator<DirectoryEntry> {
        for (const [name, node] of nodes) yield { name: pathComponent(name), node };
      };
      const { path } = await world.mount({ get, list });
      expect((await sh('ls "$1"; cat "$1/late" 2>&1; cat "$1/tree/hello"', path)).out).toMatch(
        /^tree\n.*No such.*\nhello\n$/,
      );
      nodes.set('late', await world.file('late\n'));
      for (let at = 0; at < 300; at++)
        nodes.set(`n${at}`, { kind: 'symlink', target: symlinkTarget(`${at}`) });
      const listed = await sh('ls "$1" | wc -l; find "$1" -maxdepth 1 -type l | wc -l; cat "$1/late"', path);
      expect(listed.out).toBe('302\n300\nlate\n');

      const roots = [
        [{ get }, {}],
        [{ get, list }, { listRoot: false }],
      ] as const;
      for (const [root, options] of roots) {
        const other = await world.mount(root, options);
        expect((await sh('ls "$1"', other.path)).error).toContain('Operation not permitted');
        expect((await sh('cat "$1/late"; ls "$1/tree/none"', other.path)).out).toBe('late\n');
      }
    });

    test('what a store lost is an input/output error, of that file only', async () => {
      const world = new World();
      const gone = new B3Digest(new Uint8Array(32).fill(7));
      const nodes: Readonly<Record<string, Node>> = {
        file: { kind: 'file', digest: gone, size: 10, executable: false },
        folder: { kind: 'directory', digest: gone, size: 2 },
        wrong: { ...(await world.file('short')), size: 100 },
        fine: await world.file('fine'),
      };
      const get = async (name: PathComponent): Promise<Node | undefined> => nodes[name.toString()];
      const { path, errors } = await world.mount({ get });
      const seen = await sh(
        'cat "$1/file"; ls "$1/folder"; cat "$1/folder/x"; cat "$1/wrong"; cat "$1/fine"',
        path,
      );
      expect(seen.out).toBe('fine');
      expect(seen.error.match(/Input\/output error/g)).toHaveLength(4);
      expect(new Set(errors.map((it) => it.code))).toEqual(new Set(['not-found', 'corrupt']));
    });

    test('slow stores: others are answered meanwhile, and who gives up is let go', async () => {
      const world = new World();
      const slow = await world.file('slow');
      let open: (() => void) | undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      const blobs = new Proxy(world.blobs, {
        get: (target, name): unknown => {
          const value: unknown = Reflect.get(target, name);
          if (name !== 'open') return typeof value === 'function' ? value.bind(target) : value;
          return async (digest: B3Digest) => {
            if (digest.equals(slow.digest)) await opened;
            return await target.open(digest);
          };
        },
      });
      const { path } = await world.mount(await world.directory({ slow, fast: await world.file('fast') }), {
        blobs,
      });
      const waiting = sh('cat "$1/slow"', path);
      const killed = spawn('cat', [join(path, 'slow')], { stdio: 'ignore' });
      expect((await sh('sleep 0.2; cat "$1/fast"', path)).out).toBe('fast');
      killed.kill('SIGKILL');
      const [, signal] = (await once(killed, 'exit')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      // The serving process itself may look, if it does not stop everything for that.
      expect((await stat(join(path, 'fast'))).size).toBe(4);
      open?.();
      expect((await waiting).out).toBe('slow');
    });
  },
);

describe.skipIf(reason !== undefined)(
  `the end of a mount${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('by disposing, twenty times', async () => {
      const world = new World();
      const root = await sampleTree(world);
      const mountpoint = join(folder, 'again');
      const descriptors = (): number => readdirSync('/proc/self/fd').length;
      let before = 0;
      for (let at = 0; at < 20; at++) {
        const { mount } = await world.mount(root, { mountpoint });
        expect((await sh('cat "$1/hello"', mountpoint)).out).toBe('hello\n');
        await mount[Symbol.asyncDispose]();
        await mount.unmounted;
        expect((await sh('ls -A "$1"', mountpoint)).out).toBe('');
        if (at === 5) before = descriptors();
      }
      // Tests beside this one have some of their own; fourteen mounts would have left more.
      await expect.poll(descriptors, { timeout: 30_000 }).toBeLessThan(before + 14);
    });

    test('by umount from outside', async () => {
      const world = new World();
      const { path, mount, errors } = await world.mount(await sampleTree(world));
      expect((await sh('umount "$1"', path)).code).toBe(0);
      await mount.unmounted;
      await mount[Symbol.asyncDispose]();
      expect(errors).toEqual([]);
    });

    test('while somebody uses it: said, and they get errors', async () => {
      const world = new World();
      const { path, mount, errors } = await world.mount(await sampleTree(world));
      const user = spawn('sh', ['-c', 'cd "$1" && echo there && read -r line; ls . 2>&1', 'sh', path]);
      let out = '';
      user.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
      await expect.poll(() => out).toBe('there\n');
      await mount[Symbol.asyncDispose]();
      expect(errors.map((it) => it.message)).toEqual([expect.stringContaining('was in use')]);
      expect(mountsInFolder()).not.toContain(path);
      user.stdin.end('\n');
      await once(user, 'close');
      expect(out).toContain('ls:');
    });

    test('although another namespace has a copy of it, as a sandbox that is starting does', async () => {
      const world = new World();
      const { path, mount } = await world.mount(await sampleTree(world));
      const script = 'echo there; read -r line; ls "$1" 2>&1; exit 0';
      const other = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', path]);
      let out = '';
      other.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
      await expect.poll(() => out).toBe('there\n');
      await mount[Symbol.asyncDispose]();
      expect(mountsInFolder()).not.toContain(path);
      other.stdin.end('\n');
      await once(other, 'close');
      expect(out).toMatch(/^there\nls: /);
    });

    test('by umount -l from outside while somebody uses it: it ends when they do', async () => {
      const world = new World();
      const { path, mount } = await world.mount(await sampleTree(world));
      const user = spawn('sh', ['-c', 'cd "$1" && echo there && read -r line; cat hello', 'sh', path]);
      let out = '';
      user.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
      await expect.poll(() => out).toBe('there\n');
      expect((await sh('umount -l "$1"', path)).code).toBe(0);
      user.stdin.end('\n');
      await once(user, 'close');
      expect(out).toBe('there\nhello\n');
      await mount.unmounted;
    });

    test('mistakes are named', async () => {
      const world = new World();
      const root = await sampleTree(world);
      const { blobs, directories } = world;
      const at = (mountpoint: string): Promise<unknown> =>
        mountCastore({ mountpoint, root, blobs, directories });
      await expect(at(join(folder, 'missing'))).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining('create it first'),
      });
      const file = join(folder, 'a file');
      await writeFile(file, '');
      await expect(at(file)).rejects.toMatchObject({ message: expect.stringContaining('not a directory') });
    });

    test(
      'as one CommonJS bundle: killed, exited without disposing, and left stale',
      { timeout: 60_000 },
      async () => {
        const bundle = await bundleServer();
        const mountpoint = join(folder, 'served');
        await mkdir(mountpoint);
        const servers: ChildProcess[] = [];
        onTestFinished(() => {
          for (const server of servers) server.kill('SIGKILL');
        });
        const serve = async (mode: string): Promise<ChildProcess> => {
          const server = spawn(process.execPath, [bundle, mountpoint, mode], {
            stdio: ['pipe', 'pipe', 'inherit'],
          });
          servers.push(server);
          const said = server.stdout?.once('data', () => undefined);
          if (said !== undefined) await once(said, 'data');
          expect((await sh('cat "$1/hello"', mountpoint)).out).toBe('hello\n');
          return server;
        };

        const killed = await serve('serve');
        killed.kill('SIGKILL');
        await once(killed, 'exit');
        await expect.poll(mountsInFolder).not.toContain(mountpoint);

        const exited = await serve('exit');
        exited.stdin?.end();
        expect(await once(exited, 'exit')).toEqual([7, null]);
        await expect.poll(mountsInFolder).not.toContain(mountpoint);

        // The guard is killed first.
        const stale = await serve('serve');
        expect((await sh('kill -9 $(pgrep -P "$1")', String(stale.pid))).code).toBe(0);
        stale.kill('SIGKILL');
        await once(stale, 'exit');
        const world = new World();
        const { blobs, directories } = world;
        const again = mountCastore({ mountpoint, root: await sampleTree(world), blobs, directories });
        await expect(again).rejects.toMatchObject({
          code: 'io',
          message: expect.stringContaining(`'umount -l ${mountpoint}'`),
        });
        expect((await sh('umount -l "$1"', mountpoint)).code).toBe(0);
      },
    );
  },
);

const userReason = reason ?? whyNotForUsers();

describe.skipIf(userReason !== undefined)(
  `a mount of an ordinary user${userReason === undefined ? '' : ` (skipped: ${userReason})`}`,
  () => {
    test('is made, used and ended by fusermount3', { timeout: 60_000 }, async () => {
      const bundle = await bundleServer();
      const mountpoint = join(folder, 'of nobody');
      await mkdir(mountpoint);
      const nobody = { uid: 65_534, gid: 65_534 };
      await chown(mountpoint, nobody.uid, nobody.gid);
      await chmod(folder, 0o755);
      const server = spawn(process.execPath, [bundle, mountpoint, 'exit'], {
        ...nobody,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      onTestFinished(() => void server.kill('SIGKILL'));
      await once(server.stdout, 'data');
      const look = await promisify(execFile)('cat', [join(mountpoint, 'hello')], nobody);
      expect(look.stdout).toBe('hello\n');
      expect((await sh('grep -c "$1 fuse.neve .*user_id=65534" /proc/mounts', 'of.040nobody')).out).toBe(
        '1\n',
      );
      server.stdin.end();
      expect(await once(server, 'exit')).toEqual([7, null]);
      await expect.poll(mountsInFolder).toEqual([]);
    });
  },
);

/** `fusermount3` opens the device as the user. */
function whyNotForUsers(): string | undefined {
  if (!existsOnPath('fusermount3')) return 'fusermount3 is not installed';
  const forOthers = 0o006;
  const isForAll = (statSync('/dev/fuse').mode & forOthers) === forOthers;
  return isForAll ? undefined : '/dev/fuse is not for ordinary users';
}

function existsOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((it) => existsSync(join(it, program)));
}

async function withCopy(path: string): Promise<string> {
  await mkdir(`${path}.copy`, { recursive: true });
  return path;
}

/** A program that serves one file at its first argument, as a bundle. */
async function bundleServer(): Promise<string> {
  const outfile = join(folder, 'server.cjs');
  const modules = fileURLToPath(new URL('../../../../../node_modules', import.meta.url));
  if (!existsSync(join(folder, 'node_modules'))) symlinkSync(modules, join(folder, 'node_modules'));
  const contents = `
    import { memoryBlobs } from '../../memory-blobs.ts';
    import { memoryDirectories } from '../../memory-directories.ts';
    import { Directory } from '../../directory.ts';
    import { pathComponent } from '../../path-component.ts';
    import { mountCastore } from './mount-castore.ts';
    async function main() {
      const blobs = memoryBlobs();
      const directories = memoryDirectories();
      const digest = await blobs.put(new TextEncoder().encode('hello\\n'));
      const node = { kind: 'file', digest, size: 6, executable: false };
      const root = Directory.of([{ name: pathComponent('hello'), node }]);
      await directories.put(root);
      const [mountpoint, mode] = process.argv.slice(2);
      await mountCastore({ mountpoint, root: root.node, blobs, directories });
      console.log('mounted');
      if (mode === 'exit') process.stdin.resume().on('end', () => process.exit(7));
    }
    void main();`;
  await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    conditions: ['source'],
    external: ['koffi'],
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
