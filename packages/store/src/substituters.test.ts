// The substituters here are memories with a name, a priority and a way to fail.
import { expect, test } from 'vitest';
import { nodeHashes } from '@neve/bytes/node';
import { symlinkTarget } from '@neve/castore';
import { StorePath } from '@neve/nix-compat';
import type { PathInfo } from './path-info.ts';
import { StoreError } from './store-error.ts';
import type { Substituter } from './substituter.ts';
import { type SubstituterEvent, type SubstitutersOptions, openSubstituters } from './substituters.ts';

const hashPart = '0123456789abcdfghijklmnpqrsvwxyz';

type Made = {
  readonly name: string;
  readonly priority?: number;
  readonly has?: boolean;
  readonly fails?: boolean;
  readonly isUnknown?: boolean;
  readonly slow?: boolean;
};

const asked: string[] = [];

function make({
  name,
  priority = 0,
  has = false,
  fails = false,
  isUnknown = false,
  slow = false,
}: Made): Substituter {
  const ask = async <T>(answer: T, signal?: AbortSignal): Promise<T | undefined> => {
    asked.push(name);
    if (fails) throw new StoreError('io', `${name} is down`);
    if (slow)
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    return has ? answer : undefined;
  };
  return {
    name,
    priority: async () => {
      if (isUnknown) throw new StoreError('io', `${name} is down`);
      return priority;
    },
    wantsMassQuery: async () => true,
    narInfo: () => ask(undefined),
    has: async (_, signal) => (await ask(true, signal)) ?? false,
    get: (_, signal) => ask(pathInfo(name), signal),
    put: async (it) => it,
    async *list() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** Its name says whose it is. */
function pathInfo(name: string): PathInfo {
  return {
    storePath: new StorePath(hashPart, name),
    node: { kind: 'symlink', target: symlinkTarget('x') },
    references: [],
    narSize: 1,
    narHash: nodeHashes.hash('sha256', new Uint8Array(0)),
    signatures: [],
    deriver: undefined,
    contentAddress: undefined,
  };
}

function open(made: readonly Made[], options: Omit<SubstitutersOptions, 'caches' | 'onEvent'> = {}) {
  asked.length = 0;
  const events: SubstituterEvent[] = [];
  const caches = made.map(make);
  return { events, service: openSubstituters({ caches, onEvent: (it) => events.push(it), ...options }) };
}

test('ascending priority, equal ones as they are given, the first that has it', async () => {
  const { service } = open([
    { name: 'far', priority: 50, has: true },
    { name: 'b', priority: 10 },
    { name: 'near', priority: 40, has: true },
    { name: 'a', priority: 10 },
  ]);
  expect((await service.get(hashPart))?.storePath.name).toBe('near');
  expect(asked).toEqual(['b', 'a', 'near']);
});

test('one that fails is reported, and the next one asked', async () => {
  const { service, events } = open([
    { name: 'broken', priority: 1, fails: true },
    { name: 'good', priority: 2, has: true },
  ]);
  expect((await service.get(hashPart))?.storePath.name).toBe('good');
  expect(events).toMatchObject([
    { kind: 'substituter-failed', name: 'broken', hashPart, error: { code: 'io' } },
  ]);
  expect(await service.has(hashPart)).toBe(true);
});

test('one whose priority is not known is asked last', async () => {
  const { service } = open([
    { name: 'unknown', isUnknown: true, has: true },
    { name: 'known', priority: 99 },
  ]);
  expect((await service.get(hashPart))?.storePath.name).toBe('unknown');
  expect(asked).toEqual(['known', 'unknown']);
});

test('nobody has it, and all could be asked', async () => {
  const { service } = open([{ name: 'a' }, { name: 'b' }]);
  expect(await service.get(hashPart)).toBeUndefined();
  expect(await service.has(hashPart)).toBe(false);
});

test('nobody has it, and some failed', async () => {
  const one = open([{ name: 'a', fails: true }, { name: 'b' }]);
  await expect(one.service.get(hashPart)).rejects.toThrow('a is down');
  await expect(one.service.has(hashPart)).rejects.toThrow('a is down');
  const two = open([
    { name: 'a', fails: true },
    { name: 'b', fails: true },
  ]);
  await expect(two.service.get(hashPart)).rejects.toThrow(
    /no substituter could give '0123.*a is down; b is down/,
  );
});

test('unless that does not matter', async () => {
  const { service, events } = open([{ name: 'a', fails: true }, { name: 'b' }], { fallback: true });
  expect(await service.get(hashPart)).toBeUndefined();
  expect(await service.has(hashPart)).toBe(false);
  expect(events.length).toBe(2);
});

test('the first that knows ends the question to the others', async () => {
  const { service, events } = open([
    { name: 'slow', slow: true },
    { name: 'fast', has: true },
  ]);
  expect(await service.has(hashPart)).toBe(true);
  expect(events).toEqual([]);
});

test('an abort is not a failure of a cache', async () => {
  const { service, events } = open([{ name: 'slow', slow: true }]);
  await expect(service.get(hashPart, AbortSignal.timeout(20))).rejects.toThrow(/timeout/);
  await expect(service.has(hashPart, AbortSignal.timeout(20))).rejects.toThrow(/timeout/);
  expect(events).toEqual([]);
});
