import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { B3Digest } from './b3-digest.ts';
import { CastoreError } from './castore-error.ts';
import { checkClosure, closureByGet, decodeClosure, parentsFirst } from './closure.ts';
import { descend } from './descend.ts';
import { Directory, emptyDirectory } from './directory.ts';
import { orderedPutter, simplePutter } from './directory-putter.ts';
import { memoryDirectories } from './memory-directories.ts';
import { parsePath, pathComponent, symlinkTarget } from './path-component.ts';
import { directoryCompliance } from './testing/directory-compliance.ts';

function leaf(target: string): Directory {
  const node = { kind: 'symlink', target: symlinkTarget(target) } as const;
  return Directory.of([{ name: pathComponent('link'), node }]);
}

function parent(...children: readonly Directory[]): Directory {
  return Directory.of(children.map(({ node }, index) => ({ name: pathComponent(`d${index}`), node })));
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

async function* streamOf<T>(...items: readonly T[]): AsyncGenerator<T, void, void> {
  yield* items;
}

const many = Array.from({ length: 100 }, (_, index) => leaf(`${index}`));
const wide = parent(...many);
const all = [wide, ...many];

/** Answers after a turn of the event loop, and counts. */
class SlowService {
  readonly asked: string[] = [];
  running = 0;
  mostRunning = 0;
  readonly #directories: ReadonlyMap<string, Directory>;

  constructor(directories: readonly Directory[]) {
    this.#directories = new Map(directories.map((it) => [it.digest.key, it]));
  }

  readonly get = async (digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> => {
    this.asked.push(digest.hex);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    await new Promise((resolve) => setImmediate(resolve));
    this.running--;
    signal?.throwIfAborted();
    return this.#directories.get(digest.key);
  };
}

describe('a closure by getting single directories', () => {
  test('asks for each once, for at most 16 at the same time', async () => {
    const service = new SlowService(all);
    const got = await collect(closureByGet(service.get, wide.digest));
    expect(got[0]).toBe(wide);
    expect(got.map(({ digest }) => digest.hex).toSorted()).toEqual(
      all.map(({ digest }) => digest.hex).toSorted(),
    );
    expect(service.asked.toSorted()).toEqual(all.map(({ digest }) => digest.hex).toSorted());
    expect(service.mostRunning).toBe(16);
  });

  test('names a directory that is not there, and the one that refers to it', async () => {
    const [missing] = many;
    const service = new SlowService(all.filter((it) => it !== missing));
    const reading = collect(closureByGet(service.get, wide.digest));
    await expect(reading).rejects.toMatchObject({
      code: 'not-found',
      message: `the directory ${missing?.digest.toString()}, to which ${wide.digest.toString()} refers, is not there`,
    });
    expect(service.running).toBe(0);
  });

  test('waits for its requests when the reader leaves early', async () => {
    const service = new SlowService(all);
    for await (const directory of closureByGet(service.get, wide.digest)) {
      if (directory !== wide) break;
    }
    expect(service.running).toBe(0);
    expect(service.asked.length).toBeLessThan(20);
  });

  test('ends with the reason of the signal', async () => {
    const controller = new AbortController();
    const service = new SlowService(all);
    const reason = new Error('enough');
    const reading = async (): Promise<void> => {
      for await (const directory of closureByGet(service.get, wide.digest, controller.signal)) {
        if (directory !== wide) controller.abort(reason);
      }
    };
    await expect(reading()).rejects.toBe(reason);
  });
});

describe('a closure from a stranger', () => {
  const inner = parent(emptyDirectory);
  const root = parent(inner, emptyDirectory);

  test('is passed on as it comes', async () => {
    for (const order of [
      [root, inner, emptyDirectory],
      [root, emptyDirectory, inner],
    ]) {
      expect(await collect(checkClosure(root.digest, streamOf(...order)))).toEqual(order);
      const decoded = await collect(
        decodeClosure(root.digest, streamOf(...order.map(({ encoded }) => encoded))),
      );
      expect(decoded.map(({ digest }) => digest.hex)).toEqual(order.map(({ digest }) => digest.hex));
    }
    expect(await collect(checkClosure(root.digest, streamOf()))).toEqual([]);
    expect(await collect(decodeClosure(root.digest, streamOf()))).toEqual([]);
  });

  test('may not lie about a digest', async () => {
    const liar = Directory.decode(inner.encoded, root.digest);
    await expect(collect(checkClosure(root.digest, streamOf(liar)))).rejects.toMatchObject({
      code: 'corrupt',
    });
  });

  test('may not end early', async () => {
    const encodings = [root, inner].map(({ encoded }) => encoded);
    await expect(collect(decodeClosure(root.digest, streamOf(...encodings)))).rejects.toThrow('incomplete');
    await expect(collect(checkClosure(root.digest, streamOf(root, inner)))).rejects.toThrow('incomplete');
  });

  test('is not decoded where it may not come', async () => {
    const bytes = new TextEncoder().encode('not a directory at all');
    await expect(collect(decodeClosure(root.digest, streamOf(root.encoded, bytes)))).rejects.toThrow(
      'no directory that came before refers to it',
    );
  });
});

test('keys come after all that have them as children', () => {
  const graphs = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 5 }), { maxLength: 20 });
  fc.assert(
    fc.property(graphs, (recipe) => {
      // Only references to later ones, so that there is no cycle; some lead to keys that are not there.
      const children = recipe.map((it, index) => it.map((child) => `${index + 1 + child}`));
      const keys = recipe.map((_, index) => `${index}`);
      const sorted = parentsFirst(keys.toReversed(), (key) => children[Number(key)] ?? []);
      expect(sorted.toSorted()).toEqual(keys.toSorted());
      for (const [index, key] of sorted.entries()) {
        for (const child of children[Number(key)] ?? []) {
          expect(sorted.slice(0, index)).not.toContain(child);
        }
      }
    }),
  );
});

describe('the simple putter', () => {
  function simple(): ReturnType<typeof memoryDirectories> {
    const inner = memoryDirectories();
    return {
      get: (digest, signal) => inner.get(digest, signal),
      closure: (digest, signal) => closureByGet((it) => inner.get(it), digest, signal),
      put: (directory, signal) => inner.put(directory, signal),
      // Putting to memory fails when a child is not there.
      putClosure: (signal) =>
        simplePutter(async (directory) => {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
          await inner.put(directory);
        }, signal),
      [Symbol.asyncDispose]: async () => inner[Symbol.asyncDispose](),
    };
  }

  for (const { name, run } of directoryCompliance) {
    test(name, () => run(async () => simple(), { gets: 'any', puts: 'any' }));
  }

  test('begins nothing after a failure, and ends with it when all calls have ended', async () => {
    let running = 0;
    let calls = 0;
    await using putter = simplePutter(async (directory) => {
      calls++;
      running++;
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (directory === many[3]) throw new CastoreError('io', 'the disk is full');
    });
    for (const directory of all.toReversed()) await putter.put(directory);
    await expect(putter.close()).rejects.toThrow('the disk is full');
    await expect(putter.close()).rejects.toThrow('the disk is full');
    expect(running).toBe(0);
    expect(calls).toBeLessThan(all.length);
  });
});

describe('any putter', () => {
  test('passes directories on one after another, even if nobody waits', async () => {
    const events: string[] = [];
    await using putter = orderedPutter({
      add: async (directory) => {
        events.push(`begin ${directory.entries.length}`);
        await new Promise((resolve) => setImmediate(resolve));
        events.push(`end ${directory.entries.length}`);
      },
      commit: async () => void events.push('commit'),
    });
    const puts = [emptyDirectory, parent(emptyDirectory)].map((it) => putter.put(it));
    await putter.close();
    await Promise.all(puts);
    expect(events).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'commit']);
  });

  test('gives up once, and takes nothing afterwards', async () => {
    let aborts = 0;
    const putter = orderedPutter({ add: () => {}, commit: async () => {}, abort: () => void aborts++ });
    await putter.put(emptyDirectory);
    await putter[Symbol.asyncDispose]();
    await putter[Symbol.asyncDispose]();
    expect(aborts).toBe(1);
    await expect(putter.put(emptyDirectory)).rejects.toThrow('after the end');
    await expect(putter.close()).rejects.toThrow('given up');
  });

  test('stays failed when its service failed', async () => {
    let aborts = 0;
    {
      await using putter = orderedPutter({
        add: () => Promise.reject(new CastoreError('io', 'the disk is full')),
        commit: async () => {},
        abort: () => void aborts++,
      });
      await expect(putter.put(emptyDirectory)).rejects.toThrow('the disk is full');
      await expect(putter.put(parent(emptyDirectory))).rejects.toThrow('the disk is full');
      await expect(putter.close()).rejects.toThrow('the disk is full');
    }
    expect(aborts).toBe(1);
  });
});

describe('descending', () => {
  const bottom = leaf('..');
  const middle = parent(bottom);
  const root = parent(middle);
  const path = parsePath('d0/d0/link');

  test('finds what is there and nothing else', async () => {
    await using directories = memoryDirectories();
    for (const directory of [bottom, middle, root]) await directories.put(directory);
    expect(await descend(directories, root.node, [])).toEqual(root.node);
    expect(await descend(directories, root.node, path)).toMatchObject({ kind: 'symlink' });
    expect(await descend(directories, root.node, path.slice(0, 2))).toMatchObject({ digest: bottom.digest });
    expect(await descend(directories, root.node, parsePath('d1'))).toBeUndefined();
    expect(await descend(directories, root.node, parsePath('d0/d1/d2'))).toBeUndefined();
    expect(await descend(directories, root.node, parsePath('d0/d0/link/x'))).toBeUndefined();
  });

  test('names a directory that is missing', async () => {
    await using directories = memoryDirectories();
    await expect(descend(directories, root.node, path)).rejects.toMatchObject({ code: 'not-found' });
  });
});
