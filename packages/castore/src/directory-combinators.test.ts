import { describe, expect, test } from 'vitest';
import type { B3Digest } from './b3-digest.ts';
import { cacheDirectories } from './cache-directories.ts';
import { CastoreError } from './castore-error.ts';
import { Directory, emptyDirectory } from './directory.ts';
import type { DirectoryService } from './directory-service.ts';
import { memoryDirectories } from './memory-directories.ts';
import { pathComponent } from './path-component.ts';
import { priorityDirectories } from './priority-directories.ts';
import { readOnlyDirectories } from './read-only-directories.ts';
import { directoryCompliance } from './testing/directory-compliance.ts';
import { verifiedDirectories } from './verified-directories.ts';

const all = { gets: 'any', puts: 'any' } as const;

function parent(name: string, ...children: readonly Directory[]): Directory {
  return Directory.of(children.map(({ node }, index) => ({ name: pathComponent(`${name}${index}`), node })));
}

const inner = parent('inner', emptyDirectory);
const root = parent('root', inner, emptyDirectory);
const closure = [emptyDirectory, inner, root];

async function filled(): Promise<DirectoryService> {
  const service = memoryDirectories();
  for (const directory of closure) await service.put(directory);
  return service;
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

async function putAll(service: DirectoryService, directories = closure): Promise<B3Digest> {
  await using putter = service.putClosure();
  for (const directory of directories) await putter.put(directory);
  return await putter.close();
}

async function holds(service: DirectoryService): Promise<readonly boolean[]> {
  const found = await Promise.all(closure.map(({ digest }) => service.get(digest)));
  return found.map((it) => it !== undefined);
}

/** A service that answers as `changes` say, and otherwise as `inner` does. */
function changed(service: DirectoryService, changes: Partial<DirectoryService>): DirectoryService {
  return {
    get: (digest, signal) => service.get(digest, signal),
    closure: (digest, signal) => service.closure(digest, signal),
    put: (directory, signal) => service.put(directory, signal),
    putClosure: (signal) => service.putClosure(signal),
    [Symbol.asyncDispose]: async () => service[Symbol.asyncDispose](),
    ...changes,
  };
}

const down = new CastoreError('io', 'the service is down');
const broken = changed(memoryDirectories(), {
  get: () => Promise.reject(down),
  // oxlint-disable-next-line require-yield
  closure: async function* () {
    throw down;
  },
  put: () => Promise.reject(down),
  putClosure: () => {
    throw down;
  },
});

/** Finds only the root of the closure, as an object store does. */
const rootsOnly = (service: DirectoryService): DirectoryService =>
  changed(service, {
    get: async (digest) => (digest.equals(root.digest) ? service.get(digest) : undefined),
    closure: async function* (digest) {
      if (digest.equals(root.digest)) yield* service.closure(digest);
    },
  });

describe('a cache', () => {
  for (const { name, run } of directoryCompliance) {
    test(name, () => run(async () => cacheDirectories(memoryDirectories(), memoryDirectories()), all));
  }

  test.each(['get', 'closure'] as const)(
    'fills the near service with the whole closure by %s',
    async (how) => {
      const near = memoryDirectories();
      await using cache = cacheDirectories(near, rootsOnly(await filled()));
      if (how === 'get') expect(await cache.get(root.digest)).toBe(root);
      else expect((await collect(cache.closure(root.digest))).toSorted(bySize)).toEqual(closure);
      expect(await holds(near)).toEqual([true, true, true]);
    },
  );

  test('asks far only for what is not near', async () => {
    const near = await filled();
    await using cache = cacheDirectories(near, broken);
    expect(await cache.get(root.digest)).toBe(root);
    expect((await collect(cache.closure(root.digest))).length).toBe(3);
    await expect(cache.get(parent('unknown', root).digest)).rejects.toBe(down);
  });

  test('fetches a closure once for all who ask, and goes on when one of them gives up', async () => {
    let fetches = 0;
    const far = await filled();
    const counting = changed(far, {
      closure: async function* (digest) {
        fetches++;
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield* far.closure(digest);
      },
    });
    const near = memoryDirectories();
    await using cache = cacheDirectories(near, counting);
    const reason = new Error('enough');
    const controller = new AbortController();
    const first = cache.get(root.digest, controller.signal);
    const others = [cache.get(root.digest), collect(cache.closure(root.digest))];
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(await Promise.all(others)).toMatchObject([{ size: root.size }, { length: 3 }]);
    expect(fetches).toBe(1);
    expect(await holds(near)).toEqual([true, true, true]);
  });

  test('puts nothing near of a closure that breaks off', async () => {
    const far = await filled();
    const near = memoryDirectories();
    const cut = changed(far, {
      closure: async function* (digest) {
        for await (const directory of far.closure(digest)) {
          yield directory;
          if (directory === inner) return;
        }
      },
    });
    await using cache = cacheDirectories(near, cut);
    await expect(cache.get(root.digest)).rejects.toMatchObject({ code: 'invalid-directory' });
    expect(await holds(near)).toEqual([false, false, false]);
  });

  test('takes writes for both, and fetches what near lacks for them', async () => {
    const near = memoryDirectories();
    const far = await filled();
    await using cache = cacheDirectories(near, far);
    const top = parent('top', root);
    await cache.put(top);
    expect(await far.get(top.digest)).toBe(top);
    expect(await near.get(top.digest)).toBe(top);
    expect(await holds(near)).toEqual([true, true, true]);
  });

  test('shows nothing near of what far refuses', async () => {
    const near = memoryDirectories();
    const far = memoryDirectories();
    const full = changed(far, {
      putClosure: (signal) => {
        const putter = far.putClosure(signal);
        return {
          put: (it) => putter.put(it),
          close: () => Promise.reject(down),
          [Symbol.asyncDispose]: async () => putter[Symbol.asyncDispose](),
        };
      },
    });
    await using cache = cacheDirectories(near, full);
    await expect(putAll(cache)).rejects.toBe(down);
    expect(await holds(near)).toEqual([false, false, false]);
    await using readOnly = cacheDirectories(near, readOnlyDirectories(far));
    await expect(putAll(readOnly)).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('several services by priority', () => {
  for (const { name, run } of directoryCompliance) {
    test(name, () =>
      run(async () => {
        const readOnly = { priority: 1, service: readOnlyDirectories(memoryDirectories()) };
        return priorityDirectories([{ priority: 2, service: memoryDirectories() }, readOnly]);
      }, all),
    );
  }

  test('the one with the smallest number is asked first', async () => {
    const asked: number[] = [];
    const asking = (priority: number): { priority: number; service: DirectoryService } => ({
      priority,
      service: changed(memoryDirectories(), { get: async () => void asked.push(priority) }),
    });
    await using services = priorityDirectories([30, 10, 20].map(asking));
    expect(await services.get(root.digest)).toBeUndefined();
    expect(asked).toEqual([10, 20, 30]);
  });

  test('one that fails is passed over, and its error told when none has it', async () => {
    await using services = priorityDirectories([
      { priority: 1, service: broken },
      { priority: 2, service: memoryDirectories() },
      { priority: 3, service: await filled() },
    ]);
    expect(await services.get(root.digest)).toBe(root);
    expect((await collect(services.closure(root.digest))).length).toBe(3);
    const unknown = parent('unknown', root).digest;
    await expect(services.get(unknown)).rejects.toBe(down);
    await expect(collect(services.closure(unknown))).rejects.toBe(down);
  });

  test('the next one goes on with a closure in which one fails', async () => {
    const first = await filled();
    const failing = changed(first, {
      closure: async function* (digest) {
        for await (const directory of first.closure(digest)) {
          yield directory;
          throw down;
        }
      },
    });
    await using services = priorityDirectories([
      { priority: 1, service: failing },
      { priority: 2, service: await filled() },
    ]);
    expect((await collect(services.closure(root.digest))).toSorted(bySize)).toEqual(closure);
    await using alone = priorityDirectories([{ priority: 1, service: failing }]);
    await expect(collect(alone.closure(root.digest))).rejects.toBe(down);
  });

  test('an error in writing is not hidden', async () => {
    const second = memoryDirectories();
    await using services = priorityDirectories([
      { priority: 1, service: broken },
      { priority: 2, service: second },
    ]);
    await expect(services.put(emptyDirectory)).rejects.toBe(down);
    await expect(putAll(services)).rejects.toBe(down);
    expect(await holds(second)).toEqual([false, false, false]);
    await using none = priorityDirectories([]);
    await expect(none.put(emptyDirectory)).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('a service for reading only', () => {
  for (const { name, run } of directoryCompliance) {
    const open = async (): Promise<DirectoryService> => readOnlyDirectories(memoryDirectories());
    test(name, () => run(open, { gets: 'any', puts: 'none' }));
  }

  test('reads, and has no inventory', async () => {
    await using service = readOnlyDirectories(await filled());
    expect(await holds(service)).toEqual([true, true, true]);
    expect((await collect(service.closure(root.digest))).length).toBe(3);
    expect(service.inventory).toBeUndefined();
  });
});

describe('a service that nobody trusts', () => {
  for (const { name, run } of directoryCompliance) {
    test(name, () => run(async () => verifiedDirectories(memoryDirectories()), all));
  }

  const lies: Readonly<Record<string, Partial<DirectoryService>>> = {
    'another directory': {
      get: async () => inner,
      closure: async function* () {
        yield inner;
      },
    },
    'another directory under the digest': {
      get: async () => Directory.decode(inner.encoded, root.digest),
      closure: async function* () {
        yield Directory.decode(inner.encoded, root.digest);
      },
    },
  };
  test.each(Object.entries(lies))('%s is refused', async (_, answers) => {
    await using service = verifiedDirectories(changed(memoryDirectories(), answers));
    await expect(service.get(root.digest)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(collect(service.closure(root.digest))).rejects.toThrow(CastoreError);
  });

  test('a wrong answer to a put is refused', async () => {
    const memory = memoryDirectories();
    const liar = changed(memory, {
      put: async () => inner.digest,
      putClosure: () => ({
        put: async () => {},
        close: async () => inner.digest,
        [Symbol.asyncDispose]: async () => {},
      }),
    });
    await using service = verifiedDirectories(liar);
    await expect(service.put(emptyDirectory)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(putAll(service)).rejects.toMatchObject({ code: 'corrupt' });
  });
});

function bySize(a: Directory, b: Directory): number {
  return a.size - b.size;
}
