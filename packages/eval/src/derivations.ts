/** Finding the derivations in a value, as `nix-instantiate` does. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Address, Core } from './core.ts';
import { type DerivationOutput, EvaluationError, type Evaluator, type Value } from './evaluator.ts';
import type { Offers } from './fibers.ts';

const kindString = 4;
const kindBool = 1;
const kindList = 6;
const kindAttrs = 7;
/** Names that are looked into: letters, digits and a few signs, as attribute paths have them. */
const searchable = /^[A-Za-z_][A-Za-z0-9\-_+]*$/;

type Search = {
  readonly evaluator: Evaluator & {
    forceInside(value: Address): Promise<Value>;
    during<T>(offers: Offers, walk: () => Promise<T>): Promise<T>;
  };
  readonly core: Core;
  readonly args: ReadonlyMap<string, Value>;
};

/** The derivations in a value: itself, the items of a list, or the attributes of a set, nested sets where they say so. */
export async function derivationsIn(value: Value, search: Search): Promise<DerivationOutput[]> {
  const found: DerivationOutput[] = [];
  await collect(await search.evaluator.autoCall(value, search.args), found, search);
  return found;
}

async function collect(value: Value, found: DerivationOutput[], search: Search): Promise<void> {
  const { core, evaluator } = search;
  const { exports } = core;
  const kind = exports.valueKind(exports.kept(value.handle));
  if (kind === kindAttrs) {
    if ((await textAttr(value, 'type', search)) === 'derivation') {
      found.push(await describe(value, search));
      return;
    }
    const names = searchableNames(value, core);
    const at = (index: number): Address => attrAddress(value, names[index] ?? '', core);
    await inParts(names.length, { at, search }, async (index) => {
      const child = await attr(value, names[index] ?? '', search);
      if (child !== undefined) await collectChild(child, found, search);
    });
    return;
  }
  if (kind === kindList) {
    const size = exports.listSize(exports.kept(value.handle));
    const at = (index: number): Address => exports.itemAt(exports.kept(value.handle), index);
    await inParts(size, { at, search }, async (index) => {
      const item = await evaluator.forceInside(at(index));
      await collectChild(item, found, search);
    });
    return;
  }
  const message = 'expression does not evaluate to a derivation (or a set or list of those)';
  throw new EvaluationError({ kind: 'error', message, traces: [], suggestions: [] });
}

/** Visits parts of a value one after the other; while one of them waits, those after it are evaluated as well. */
async function inParts(
  count: number,
  { at, search }: { at: (index: number) => Address; search: Search },
  visit: (index: number) => Promise<void>,
): Promise<void> {
  let visited = 0;
  let offered = 0;
  const offer = (): Address | undefined => {
    offered = Math.max(offered, visited) + 1;
    return offered <= count ? at(offered - 1) : undefined;
  };
  await search.evaluator.during(offer, async () => {
    while (visited < count) {
      visited += 1;
      await visit(visited - 1);
    }
  });
}

/** A value inside of another: a derivation, or a set that asks to be looked into. */
async function collectChild(value: Value, found: DerivationOutput[], search: Search): Promise<void> {
  const { core, evaluator, args } = search;
  const called = await evaluator.autoCall(value, args);
  const kind = core.exports.valueKind(core.exports.kept(called.handle));
  if (kind === kindList) await collect(called, found, search);
  if (kind !== kindAttrs) return;
  if ((await textAttr(called, 'type', search)) === 'derivation') {
    found.push(await describe(called, search));
  } else if (await asksForRecursion(called, search)) {
    await collect(called, found, search);
  }
}

async function asksForRecursion(value: Value, search: Search): Promise<boolean> {
  const { exports } = search.core;
  const flag = await attr(value, 'recurseForDerivations', search);
  if (flag === undefined) return false;
  const address = exports.kept(flag.handle);
  return exports.valueKind(address) === kindBool && Boolean(exports.boolValue(address));
}

async function describe(value: Value, search: Search): Promise<DerivationOutput> {
  const drvPath = await textAttr(value, 'drvPath', search);
  if (drvPath === undefined) {
    const message = 'derivation does not have a drvPath attribute';
    throw new EvaluationError({ kind: 'error', message, traces: [], suggestions: [] });
  }
  return { drvPath, outputName: (await textAttr(value, 'outputName', search)) ?? '' };
}

function searchableNames(value: Value, core: Core): string[] {
  const { exports } = core;
  const set = exports.kept(value.handle);
  const size = exports.setSize(set);
  const names = Array.from({ length: size }, (_, rank) =>
    decodeUtf8(core.read(exports.attrNameAt(set, rank))),
  );
  return names.filter((name) => searchable.test(name));
}

/** 0 when there is none. */
function attrAddress(value: Value, name: string, core: Core): Address {
  return core.exports.attrNamed(core.exports.kept(value.handle), core.write(encodeUtf8(name)));
}

async function attr(value: Value, name: string, { core, evaluator }: Search): Promise<Value | undefined> {
  const address = attrAddress(value, name, core);
  return address === 0 ? undefined : await evaluator.forceInside(address);
}

async function textAttr(value: Value, name: string, search: Search): Promise<string | undefined> {
  const { core } = search;
  const found = await attr(value, name, search);
  if (found === undefined) return undefined;
  const address = core.exports.kept(found.handle);
  return core.exports.valueKind(address) === kindString ? decodeUtf8(core.read(address)) : undefined;
}
