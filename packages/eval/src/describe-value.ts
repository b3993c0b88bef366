/** One level of a value, for whoever walks values step by step. Nothing is evaluated, so that no address moves. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Address, Core } from './core.ts';
import type { Value, ValueDescription, ValueKind, ValuePart } from './evaluator.ts';

/** The kinds of `packages/language/assembly/values/value.ts`. */
const kinds: readonly ValueKind[] = [
  'null',
  'bool',
  'int',
  'float',
  'string',
  'path',
  'list',
  'set',
  'lambda',
  'builtin',
  'builtin',
];

/** Longer texts are cut, and end with `…`. */
const maximumLength = 10_000;

export function describeValue(core: Core, value: Address): ValueDescription {
  const { exports } = core;
  const kind = kinds[exports.valueKind(value)] ?? 'thunk';
  switch (kind) {
    case 'list':
      return { kind, text: '', size: exports.listSize(value), isDerivation: false };
    case 'set':
      return { kind, text: '', size: exports.setSize(value), isDerivation: isDerivation(core, value) };
    default:
      return { kind, text: printed(core, value), size: 0, isDerivation: false };
  }
}

export function partsOfValue(
  core: Core,
  value: Address,
  { from, count }: { from: number; count: number },
): readonly ValuePart[] {
  const { exports } = core;
  const kind = kinds[exports.valueKind(value)];
  const isSet = kind === 'set';
  if (!isSet && kind !== 'list') return [];
  const size = isSet ? exports.setSize(value) : exports.listSize(value);
  return Array.from({ length: Math.max(0, Math.min(count, size - from)) }, (_, i) => {
    const index = from + i;
    if (!isSet) return { name: undefined, value: { handle: exports.keep(exports.itemAt(value, index)) } };
    const name = decodeUtf8(core.read(exports.attrNameAt(value, index)));
    return { name, value: { handle: exports.keep(exports.attrAt(value, index)) } };
  });
}

export function attributeNamesOf(core: Core, value: Address): readonly string[] {
  const { exports } = core;
  if (kinds[exports.valueKind(value)] !== 'set') return [];
  return Array.from({ length: exports.setSize(value) }, (_, rank) =>
    decodeUtf8(core.read(exports.attrNameAt(value, rank))),
  );
}

// oxlint-disable-next-line eslint/max-params -- an attribute of a value in a core
export function attributeOf(core: Core, value: Address, name: string): Value | undefined {
  const { exports } = core;
  if (kinds[exports.valueKind(value)] !== 'set') return undefined;
  const attribute = exports.attrNamed(value, core.write(encodeUtf8(name)));
  return attribute === 0 ? undefined : { handle: exports.keep(attribute) };
}

function printed(core: Core, value: Address): string {
  core.exports.printValue(value, 0);
  const text = decodeUtf8(core.takeOutput());
  return text.length > maximumLength ? `${text.slice(0, maximumLength)}…` : text;
}

function isDerivation(core: Core, set: Address): boolean {
  const { exports } = core;
  const type = exports.attrNamed(set, core.write(encodeUtf8('type')));
  if (type === 0 || kinds[exports.valueKind(type)] !== 'string') return false;
  return decodeUtf8(core.read(type)) === 'derivation';
}
