/**
 * What every path info service must do, for the tests of all of them. Each case gets a service of its own, empty, from
 * `open`, disposes of it, and throws an `Error` that says what is wrong. Where services may differ, `PathInfoTraits` says how
 * this one does, and the case expects that; no case is left out.
 */
import { encodeHex } from '@neve/bytes';
import type { PathInfo } from '../path-info.ts';
import type { PathInfoInventory, PathInfoService } from '../path-info-service.ts';
import { encodePathInfo } from '../path-info-encoding.ts';
import { StoreError } from '../store-error.ts';
import {
  sampleGraph,
  sampleNodes,
  samplePath,
  samplePathInfo,
  sampleSignature,
} from './sample-path-infos.ts';

export type PathInfoTraits = {
  /** Whether path infos can be put; if not, all is refused as `unsupported` and nothing is there. */
  readonly puts: boolean;
  /** Whether `list` works; if not, it throws `unsupported`. */
  readonly lists: boolean;
  /** Whether there is an inventory. */
  readonly hasInventory: boolean;
};

export type PathInfoComplianceCase = {
  readonly name: string;
  run(open: () => Promise<PathInfoService>, traits: PathInfoTraits): Promise<void>;
};

type Check = (service: PathInfoService, traits: PathInfoTraits) => Promise<void>;

const writing: Readonly<Record<string, Check>> = {
  'what was put is got, with all of its fields': async (service) => {
    const self = samplePath('full');
    const references = [...sampleGraph({ full: ['full', 'a', 'b'] }).values()].flatMap((it) => it.references);
    const signatures = [sampleSignature('b-1'), sampleSignature('a-1')];
    const pathInfo = samplePathInfo('full', { storePath: self, references, signatures });
    same(await service.put(pathInfo), pathInfo);
    await expectThere(service, pathInfo);
  },
  'several that are put together': async (service) => {
    if (service.putAll === undefined) return;
    const pathInfos = [...sampleGraph({ lower: [], upper: ['lower'] }).values()];
    const stored = await service.putAll(pathInfos);
    pathInfos.forEach((it, index) => same(stored[index], it));
    for (const it of pathInfos) await expectThere(service, it);
    if ((await service.putAll([])).length > 0) throw new Error('nothing was put, and something stored');
  },
  'a path info without what may be missing': async (service) => {
    const pathInfo = samplePathInfo('bare', { deriver: undefined, signatures: [] });
    await service.put(pathInfo);
    await expectThere(service, pathInfo);
  },
  'every kind of node': async (service) => {
    for (const [index, node] of sampleNodes().entries()) {
      const pathInfo = samplePathInfo(`node-${index}`, { node });
      await service.put(pathInfo);
      await expectThere(service, pathInfo);
    }
  },
  'every content address that the format has': async (service) => {
    const { narHash } = samplePathInfo('ca');
    for (const method of ['nar', 'text', 'flat'] as const) {
      const pathInfo = samplePathInfo(`ca-${method}`, { contentAddress: { method, digest: narHash } });
      await service.put(pathInfo);
      await expectThere(service, pathInfo);
    }
  },
  'a path is found by its hash part alone': async (service) => {
    const pathInfo = samplePathInfo('one');
    await service.put(pathInfo);
    await expectAbsent(service, samplePath('two').hashPart);
    await expectThere(service, pathInfo);
  },
  'many at the same time': async (service) => {
    const pathInfos = Array.from({ length: 100 }, (_, index) => samplePathInfo(`many-${index}`));
    await Promise.all(pathInfos.map((it) => service.put(it)));
    await Promise.all(pathInfos.map((it) => expectThere(service, it)));
  },
  'putting again keeps signatures of the same contents': async (service) => {
    const pathInfo = samplePathInfo('signed', { signatures: [sampleSignature('a-1')] });
    const again = { ...pathInfo, signatures: [sampleSignature('b-1')], deriver: undefined };
    await service.put(pathInfo);
    const stored = await service.put(again);
    sameText(keyNames(stored), 'a-1 b-1');
    const got = await service.get(pathInfo.storePath.hashPart);
    if (got === undefined || got.deriver !== undefined)
      throw new Error('it was not replaced by the second one');
    sameText(keyNames(got), 'a-1 b-1');
  },
  'putting again forgets signatures of other contents': async (service) => {
    const pathInfo = samplePathInfo('other', { signatures: [sampleSignature('a-1')] });
    await service.put(pathInfo);
    const { narHash } = samplePathInfo('different');
    const changed = { ...pathInfo, narHash, signatures: [sampleSignature('b-1')] };
    same(await service.put(changed), changed);
    await expectThere(service, changed);
  },
  'there is one signature for a key, the last one': async (service) => {
    const pathInfo = samplePathInfo('key', { signatures: [sampleSignature('a-1')] });
    await service.put(pathInfo);
    const other = { keyName: 'a-1', bytes: sampleSignature('other').bytes };
    const again = { ...pathInfo, signatures: [other] };
    same(await service.put(again), again);
    await expectThere(service, again);
  },
  'list gives all of them': async (service, { lists }) => {
    const pathInfos = Array.from({ length: 600 }, (_, index) => samplePathInfo(`listed-${index}`));
    await Promise.all(pathInfos.map((it) => service.put(it)));
    if (!lists) return expectRefused(() => collect(service.list()), 'unsupported');
    const listed = await collect(service.list());
    sameText(listed.map(print).sort().join('\n'), pathInfos.map(print).sort().join('\n'));
  },
};

const owning: Readonly<
  Record<string, (service: PathInfoService, inventory: PathInfoInventory) => Promise<void>>
> = {
  'the inventory lists all with the time of their last use': async (service, inventory) => {
    const before = Date.now();
    const pathInfos = ['a', 'b', 'c'].map((seed) => samplePathInfo(seed));
    for (const it of pathInfos) await service.put(it);
    const stored = await collect(inventory.list());
    sameText(
      stored
        .map((it) => print(it.read()))
        .sort()
        .join('\n'),
      pathInfos.map(print).sort().join('\n'),
    );
    for (const { hashPart, lastUsedMs, read } of stored) {
      sameText(hashPart, read().storePath.hashPart);
      if (lastUsedMs < before || lastUsedMs > Date.now()) throw new Error(`it was not used at ${lastUsedMs}`);
    }
  },
  'what was used since stays': async (service, inventory) => {
    const pathInfo = samplePathInfo('recent');
    const { hashPart } = pathInfo.storePath;
    const before = Date.now();
    await service.put(pathInfo);
    sameText(await inventory.remove(hashPart, { unusedSinceMs: before }), false);
    await expectThere(service, pathInfo);
    sameText(await inventory.remove(hashPart, { unusedSinceMs: Date.now() + 1000 }), true);
    await expectAbsent(service, hashPart);
    sameText(await inventory.remove(hashPart, { unusedSinceMs: Infinity }), false);
  },
  'what others refer to stays, unless it has to go': async (service, inventory) => {
    const graph = sampleGraph({ leaf: [], middle: ['leaf', 'middle'] });
    for (const it of graph.values()) await service.put(it);
    const [leaf, middle] = [samplePath('leaf').hashPart, samplePath('middle').hashPart];
    const later = { unusedSinceMs: Date.now() + 1000 };
    sameText(await inventory.remove(leaf, later), false);
    sameText(await inventory.remove(leaf, { unusedSinceMs: Infinity }), true);
    await expectAbsent(service, leaf);
    sameText(await inventory.remove(middle, later), true);
  },
  'referrers are those that are there, without the path itself': async (service, inventory) => {
    const graph = sampleGraph({ base: ['base'], left: ['base'], right: ['base', 'left'] });
    for (const it of graph.values()) await service.put(it);
    const referrers = async (seed: string): Promise<string> =>
      [...(await inventory.referrers(samplePath(seed).hashPart))].sort().join(' ');
    const names = (...seeds: readonly string[]): string =>
      seeds
        .map((it) => samplePath(it).hashPart)
        .sort()
        .join(' ');
    sameText(await referrers('base'), names('left', 'right'));
    sameText(await referrers('left'), names('right'));
    sameText(await referrers('right'), '');
    await service.put(samplePathInfo('right', { references: [samplePath('base')] }));
    sameText(await referrers('left'), '');
    await inventory.remove(samplePath('right').hashPart, { unusedSinceMs: Infinity });
    sameText(await referrers('base'), names('left'));
  },
};

const reading: Readonly<Record<string, Check>> = {
  'what is not there': async (service, { lists }) => {
    await expectAbsent(service, samplePath('nothing').hashPart);
    if (lists) sameText((await collect(service.list())).length, 0);
    else await expectRefused(() => collect(service.list()), 'unsupported');
  },
  'a signal that was aborted': async (service) => {
    const signal = AbortSignal.abort(new Error('enough'));
    const { hashPart } = samplePath('nothing');
    await expectThrown(() => service.get(hashPart, signal));
    await expectThrown(() => service.has(hashPart, signal));
  },
  'disposing twice': async (service) => {
    await service[Symbol.asyncDispose]();
  },
};

/** Run all of them. */
export const pathInfoCompliance: readonly PathInfoComplianceCase[] = [
  ...Object.entries(reading).map(([name, check]) => toCase(name, check)),
  ...Object.entries(writing).map(([name, check]) =>
    toCase(name, (service, traits) => (traits.puts ? check(service, traits) : expectReadOnly(service))),
  ),
  ...Object.entries(owning).map(([name, check]) =>
    toCase(name, async (service, { hasInventory }) => {
      const { inventory } = service;
      if (hasInventory && inventory !== undefined) await check(service, inventory);
      else sameText(inventory === undefined, !hasInventory);
    }),
  ),
];

function toCase(name: string, check: Check): PathInfoComplianceCase {
  return {
    name,
    async run(open, traits) {
      await using service = await open();
      await check(service, traits);
    },
  };
}

async function expectReadOnly(service: PathInfoService): Promise<void> {
  const pathInfo = samplePathInfo('refused');
  await expectRefused(() => service.put(pathInfo), 'unsupported');
  await expectAbsent(service, pathInfo.storePath.hashPart);
}

async function expectThere(service: PathInfoService, pathInfo: PathInfo): Promise<void> {
  const { hashPart } = pathInfo.storePath;
  same(await service.get(hashPart), pathInfo);
  sameText(await service.has(hashPart), true);
}

async function expectAbsent(service: PathInfoService, hashPart: string): Promise<void> {
  if ((await service.get(hashPart)) !== undefined) throw new Error(`there is a path info of ${hashPart}`);
  sameText(await service.has(hashPart), false);
}

async function expectRefused(action: () => Promise<unknown>, code: StoreError['code']): Promise<void> {
  const error = await expectThrown(action);
  if (error instanceof StoreError && error.code === code) return;
  throw new Error(`it was refused, but not as ${code}`, { cause: error });
}

async function expectThrown(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

/** Path infos are equal when their messages are. */
function same(actual: PathInfo | undefined, expected: PathInfo): void {
  sameText(actual === undefined ? undefined : print(actual), print(expected));
}

function sameText<T extends string | number | boolean | undefined>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`there is ${String(actual)} instead of ${String(expected)}`);
}

/** The order of signatures says nothing. */
function print(pathInfo: PathInfo): string {
  const signatures = [...pathInfo.signatures].sort((a, b) => (a.keyName < b.keyName ? -1 : 1));
  return `${pathInfo.storePath.baseName} ${encodeHex(encodePathInfo({ ...pathInfo, signatures }))}`;
}

function keyNames({ signatures }: PathInfo): string {
  return signatures
    .map(({ keyName }) => keyName)
    .sort()
    .join(' ');
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
