/**
 * What every directory service must do, for the tests of all of them. Each case gets a service of its own, empty, from
 * `open`, disposes of it, and throws an `Error` that says what is wrong. Where services may differ, `DirectoryTraits` says
 * how this one does, and the case expects that; no case is left out.
 */
import { encodeHex, encodeUtf8 } from '@neve/bytes';
import { hashBlake3 } from '../blake3.ts';
import { B3Digest } from '../b3-digest.ts';
import { CastoreError, type CastoreErrorCode } from '../castore-error.ts';
import { Directory, emptyDirectory, type DirectoryEntry } from '../directory.ts';
import type { DirectoryService } from '../directory-service.ts';
import type { Node } from '../node.ts';
import { PathComponent, pathComponent, SymlinkTarget, symlinkTarget } from '../path-component.ts';

export type DirectoryTraits = {
  /** Which directories `get` and `closure` find: all, or roots of closures that were put. */
  readonly gets: 'any' | 'roots';
  /** Which directories `put` takes: all whose children are there, those without children, or none (and no closures). */
  readonly puts: 'any' | 'leaves' | 'none';
};

export type DirectoryComplianceCase = {
  readonly name: string;
  readonly run: (open: () => Promise<DirectoryService>, traits: DirectoryTraits) => Promise<void>;
};

type Check = (service: DirectoryService, traits: DirectoryTraits) => Promise<void>;

const writing: Readonly<Record<string, Check>> = {
  'a directory of files and links is put and got': async (service) => {
    const directory = Directory.of([
      file('readme'),
      file('run', { executable: true }),
      file('largest', { size: Number.MAX_SAFE_INTEGER }),
      link('link', '../elsewhere'),
      { name: new PathComponent(Uint8Array.of(0xff, 0x01, 0x80)), node: link('', 'x').node },
      { name: new PathComponent(new Uint8Array(255).fill(0x6e)), node: longLink },
    ]);
    same(await service.put(directory), directory.digest);
    await expectClosure(service, directory, [directory]);
  },
  'the empty directory is put and got': async (service) => {
    same(await service.put(emptyDirectory), emptyDirectory.digest);
    await expectClosure(service, emptyDirectory, [emptyDirectory]);
  },
  'the empty directory is a closure': async (service) => {
    same(await putAll(service, [emptyDirectory]), emptyDirectory.digest);
    await expectClosure(service, emptyDirectory, [emptyDirectory]);
  },
  'putting again what is there changes nothing': async (service) => {
    const leaf = Directory.of([file('a')]);
    await service.put(leaf);
    await service.put(leaf);
    const tree = sampleTree('again');
    same(await putAll(service, tree.leavesFirst), tree.root.digest);
    same(await putAll(service, tree.leavesFirst), tree.root.digest);
    await expectClosure(service, tree.root, tree.leavesFirst);
  },
  'a closure is put leaves first and comes root first, each directory once': async (service) => {
    const tree = sampleTree('one');
    same(await putAll(service, tree.leavesFirst), tree.root.digest);
    await expectClosure(service, tree.root, tree.leavesFirst);
  },
  'a directory below the root is found, or only the root is': async (service, { gets }) => {
    const tree = sampleTree('inner');
    await putAll(service, tree.leavesFirst);
    for (const directory of tree.leavesFirst) {
      const isFound = gets === 'any' || directory === tree.root;
      if (isFound) await expectThere(service, directory);
      else await expectAbsent(service, directory.digest);
    }
    if (gets === 'any') await expectClosure(service, tree.inner, tree.belowInner);
  },
  'the same directory may come again in a closure': async (service) => {
    const tree = sampleTree('twice');
    const twice = [...tree.leavesFirst, ...tree.leavesFirst];
    same(await putAll(service, twice), tree.root.digest);
    await expectClosure(service, tree.root, tree.leavesFirst);
  },
  'closing again gives the same digest': async (service) => {
    await using putter = service.putClosure();
    await putter.put(emptyDirectory);
    same(await putter.close(), emptyDirectory.digest);
    same(await putter.close(), emptyDirectory.digest);
  },
  'a directory before one that it refers to is refused': async (service) => {
    const leaf = Directory.of([file('a')]);
    const root = Directory.of([below('leaf', leaf)]);
    await expectRefusedClosure(service, [root, leaf]);
    await expectAbsent(service, root.digest);
    await expectAbsent(service, leaf.digest);
  },
  'a closure without one of its directories is refused': async (service) => {
    const tree = sampleTree('incomplete');
    await expectRefusedClosure(service, tree.leavesFirst.slice(1));
    await expectAbsent(service, tree.root.digest);
  },
  'a closure with two roots is refused': async (service) => {
    const one = Directory.of([file('one')]);
    const two = Directory.of([file('two')]);
    await expectRefusedClosure(service, [one, two]);
    await expectAbsent(service, one.digest);
    await expectAbsent(service, two.digest);
  },
  'a closure without a directory is refused': (service) => expectRefusedClosure(service, []),
  'a wrong size in an entry is refused': async (service) => {
    const leaf = Directory.of([file('a'), file('b')]);
    for (const size of [0, 1, 3, 5, Number.MAX_SAFE_INTEGER - 2]) {
      const root = Directory.of([below('leaf', leaf, size)]);
      await expectRefusedClosure(service, [leaf, root]);
      await expectAbsent(service, root.digest);
    }
  },
  'sizes as Snix counts them and as the schema does are taken': async (service) => {
    const leaf = Directory.of([file('a'), file('b')]);
    for (const size of [4, 2]) {
      const root = Directory.of([below('leaf', leaf, size)]);
      same(await putAll(service, [leaf, root]), root.digest);
      await expectClosure(service, root, [leaf, root]);
    }
  },
  'a single directory needs what it refers to': async (service, { puts }) => {
    const leaf = Directory.of([file('a')]);
    const root = Directory.of([below('leaf', leaf)]);
    await expectError(['invalid-directory', 'unsupported'], () => service.put(root));
    await expectAbsent(service, root.digest);
    await service.put(leaf);
    if (puts === 'any') {
      const wrong = Directory.of([below('leaf', leaf, leaf.size + 1)]);
      await expectError(['invalid-directory'], () => service.put(wrong));
      same(await service.put(root), root.digest);
      await expectClosure(service, root, [leaf, root]);
    } else {
      await expectError(['invalid-directory', 'unsupported'], () => service.put(root));
      await expectAbsent(service, root.digest);
    }
  },
  'nothing is visible before the end of a closure, and nothing remains of one given up': async (service) => {
    const tree = sampleTree('given up');
    {
      await using putter = service.putClosure();
      for (const directory of tree.leavesFirst) await putter.put(directory);
      for (const { digest } of tree.leavesFirst) await expectAbsent(service, digest);
    }
    for (const { digest } of tree.leavesFirst) await expectAbsent(service, digest);
    same(await putAll(service, tree.leavesFirst), tree.root.digest);
  },
  'an aborted signal ends a closure and leaves nothing': async (service) => {
    const tree = sampleTree('aborted');
    const controller = new AbortController();
    const reason = new Error('enough');
    {
      await using putter = service.putClosure(controller.signal);
      for (const directory of tree.leavesFirst.slice(0, -1)) await putter.put(directory);
      controller.abort(reason);
      await expectReason(reason, async () => {
        await putter.put(tree.root);
        await putter.close();
      });
    }
    for (const { digest } of tree.leavesFirst) await expectAbsent(service, digest);
  },
  'a directory of 10,000 entries': async (service) => {
    const entries = Array.from({ length: 10_000 }, (_, index) => file(`file-${index}`, { size: index }));
    const leaf = Directory.of(entries);
    const root = Directory.of([below('large', leaf)]);
    same(await putAll(service, [leaf, root]), root.digest);
    await expectClosure(service, root, [leaf, root]);
  },
  'a directory that refers to 2,000 others': async (service) => {
    const leaves = Array.from({ length: 2000 }, (_, index) => Directory.of([file(`leaf-${index}`)]));
    const root = Directory.of(leaves.map((leaf, index) => below(`entry-${index}`, leaf)));
    same(await putAll(service, [...leaves, root]), root.digest);
    await expectClosure(service, root, [...leaves, root]);
  },
  'a closure of 2,000 levels': async (service) => {
    const levels = [emptyDirectory];
    for (let level = 1; level < 2000; level++) {
      levels.push(Directory.of([below('d', levels.at(-1) ?? emptyDirectory)]));
    }
    const root = levels.at(-1) ?? emptyDirectory;
    same(await putAll(service, levels), root.digest);
    await expectClosure(service, root, levels);
  },
  '20 closures at once that share directories': async (service) => {
    const shared = sampleTree('shared');
    const closures = Array.from({ length: 20 }, (_, index) => {
      const own = Directory.of([file(`own-${index % 10}`)]);
      const root = Directory.of([below('own', own), below('shared', shared.root)]);
      return [...shared.leavesFirst, own, root];
    });
    const digests = await Promise.all(closures.map((closure) => putAll(service, closure)));
    await Promise.all(
      closures.map(async (closure, index) => {
        const root = closure.at(-1) ?? emptyDirectory;
        same(digests[index], root.digest);
        await expectClosure(service, root, closure);
      }),
    );
  },
  'an inventory lists, verifies and removes what is stored': async (service, { gets }) => {
    if (service.inventory === undefined) return;
    const tree = sampleTree('inventory');
    const before = Date.now();
    await putAll(service, tree.leavesFirst);
    const expected =
      gets === 'any' ? tree.leavesFirst.map(({ digest }) => digest.hex) : [tree.root.digest.hex];
    const stored = await collect(service.inventory.list());
    equal(
      stored
        .map(({ digest }) => digest.hex)
        .sort()
        .join(),
      expected.sort().join(),
      'what is listed',
    );
    // Clocks of stores may differ a little from ours.
    check(
      stored.every((it) => it.sizeBytes >= 0 && Math.abs(it.lastUsedMs - before) < 60_000),
      'sizes and times of what was just stored are plausible',
    );
    equal((await collect(service.inventory.verify())).length, 0, 'the number of damaged objects');
    const digests = stored.map(({ digest }) => digest);
    equal(await service.inventory.remove(digests, { unusedSinceMs: 0 }), 0, 'the bytes of what may not go');
    await expectClosure(service, tree.root, tree.leavesFirst);
    const freed = await service.inventory.remove(digests, { unusedSinceMs: Infinity });
    equal(
      freed,
      stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      'the bytes that were freed',
    );
    await expectAbsent(service, tree.root.digest);
    equal(await service.inventory.remove(digests, { unusedSinceMs: Infinity }), 0, 'the bytes of nothing');
  },
};

const reading: Readonly<Record<string, Check>> = {
  'an unknown digest is not there': async (service) => {
    await expectAbsent(service, new B3Digest(new Uint8Array(32)));
    await expectAbsent(service, Directory.of([file('nobody put this')]).digest);
  },
  'an aborted signal refuses everything': async (service, { puts }) => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const { digest } = emptyDirectory;
    await expectReason(reason, () => service.get(digest, signal));
    await expectReason(reason, () => collect(service.closure(digest, signal)));
    if (puts !== 'none') await expectReason(reason, () => service.put(emptyDirectory, signal));
  },
};

/** The cases, in the order in which one would mend them. */
export const directoryCompliance: readonly DirectoryComplianceCase[] = [
  ...Object.entries(reading).map(([name, run]) => caseOf(name, run)),
  ...Object.entries(writing).map(([name, run]) =>
    caseOf(name, (service, traits) =>
      traits.puts === 'none' ? expectReadOnly(service) : run(service, traits),
    ),
  ),
];

function caseOf(name: string, run: Check): DirectoryComplianceCase {
  return {
    name,
    run: async (open, traits) => {
      await using service = await open();
      await run(service, traits);
    },
  };
}

type Tree = {
  readonly root: Directory;
  readonly leavesFirst: readonly Directory[];
  readonly inner: Directory;
  readonly belowInner: readonly Directory[];
};

/** Shared directories at several depths. The first leaf is needed by others. */
function sampleTree(seed: string): Tree {
  const leaf = Directory.of([file(seed), link('link', seed)]);
  const other = Directory.of([file('other'), file(seed)]);
  const inner = Directory.of([below('leaf', leaf), below('empty', emptyDirectory), file('x')]);
  const middle = Directory.of([below('a', inner), below('b', inner), below('c', other)]);
  const root = Directory.of([below('inner', inner), below('leaf', leaf), below('middle', middle), file('y')]);
  return {
    root,
    leavesFirst: [leaf, emptyDirectory, other, inner, middle, root],
    inner,
    belowInner: [leaf, emptyDirectory, inner],
  };
}

const longLink: Node = { kind: 'symlink', target: new SymlinkTarget(new Uint8Array(4095).fill(0x2f)) };

function file(name: string, options: { size?: number; executable?: boolean } = {}): DirectoryEntry {
  const { size = name.length, executable = false } = options;
  const digest = new B3Digest(hashBlake3(encodeUtf8(name)));
  return { name: pathComponent(name), node: { kind: 'file', digest, size, executable } };
}

function link(name: string, target: string): DirectoryEntry {
  return { name: pathComponent(name || '-'), node: { kind: 'symlink', target: symlinkTarget(target) } };
}

function below(name: string, directory: Directory, size: number = directory.size): DirectoryEntry {
  return { name: pathComponent(name), node: { ...directory.node, size } };
}

async function putAll(service: DirectoryService, directories: readonly Directory[]): Promise<B3Digest> {
  await using putter = service.putClosure();
  for (const directory of directories) await putter.put(directory);
  return await putter.close();
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

async function expectThere(service: DirectoryService, directory: Directory): Promise<void> {
  const got = await service.get(directory.digest);
  equal(got && hexOf(got), hexOf(directory), `the directory ${directory.digest.toString()}`);
}

async function expectAbsent(service: DirectoryService, digest: B3Digest): Promise<void> {
  equal(await service.get(digest), undefined, `the directory ${digest.toString()}, which is not there`);
  equal((await collect(service.closure(digest))).length, 0, `the directories of a closure that is not there`);
}

/** `expected` are the directories of the closure, in any order. */
async function expectClosure(
  service: DirectoryService,
  root: Directory,
  expected: readonly Directory[],
): Promise<void> {
  await expectThere(service, root);
  const closure = await collect(service.closure(root.digest));
  const allowed = new Set([root.digest.hex]);
  for (const directory of closure) {
    check(
      allowed.has(directory.digest.hex),
      `${directory.digest.toString()} comes after one that refers to it`,
    );
    for (const { node } of directory.entries) if (node.kind === 'directory') allowed.add(node.digest.hex);
  }
  equal(closure[0] && hexOf(closure[0]), hexOf(root), 'the first directory of a closure');
  equal(closure.map(hexOf).sort().join(), expected.map(hexOf).sort().join(), 'the directories of a closure');
}

function hexOf({ encoded }: Directory): string {
  return encodeHex(encoded);
}

function expectRefusedClosure(service: DirectoryService, directories: readonly Directory[]): Promise<void> {
  return expectError(['invalid-directory'], () => putAll(service, directories));
}

async function expectReadOnly(service: DirectoryService): Promise<void> {
  await expectError(['unsupported'], () => service.put(emptyDirectory));
  await expectError(['unsupported'], () => putAll(service, [emptyDirectory]));
}

async function expectError(codes: readonly CastoreErrorCode[], act: () => Promise<unknown>): Promise<void> {
  const error = await errorOf(act);
  if (error instanceof CastoreError && codes.includes(error.code)) return;
  throw new Error(`expected a CastoreError (${codes.join(' or ')}), there was ${describe(error)}`, {
    cause: error,
  });
}

async function expectReason(reason: Error, act: () => Promise<unknown>): Promise<void> {
  const error = await errorOf(act);
  if (error === reason) return;
  throw new Error(`expected the reason of the aborted signal, there was ${describe(error)}`, {
    cause: error,
  });
}

async function errorOf(act: () => Promise<unknown>): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return undefined;
}

function describe(error: unknown): string {
  if (error === undefined) return 'no error';
  return error instanceof Error ? String(error) : 'something else';
}

function same(actual: B3Digest | undefined, expected: B3Digest): void {
  equal(actual?.hex, expected.hex, 'the digest of the answer');
}

function equal(actual: unknown, expected: unknown, what: string): void {
  if (actual === expected) return;
  throw new Error(`${what}: expected ${shorten(expected)}, there was ${shorten(actual)}`);
}

function shorten(value: unknown): string {
  const text = String(value);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`it does not hold that ${what}`);
}
