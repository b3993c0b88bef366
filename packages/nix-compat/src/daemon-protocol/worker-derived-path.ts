/**
 * What a daemon is asked to build. Before 1.30 a derivation without outputs stands for all of its outputs, so that its file
 * itself cannot be asked for, nor an output of an output.
 */
import {
  type DerivedPath,
  type SingleDerivedPath,
  parseDerivedPath,
  printDerivedPath,
} from '../derived-path.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import type { StoreDirectory } from '../store-directory.ts';
import { text } from '../wire/primitive-codecs.ts';
import { checkedName, storePath } from '../wire/store-codecs.ts';
import type { WireCodec, WireContext } from '../wire/wire-codec.ts';
import type { Reading, WireInput } from '../wire/wire-input.ts';

export const derivedPath: WireCodec<DerivedPath> = {
  *read(from, context) {
    const path = parseDerivedPath(yield* text.read(from, context), context.store);
    return context.minor >= 30 ? path : readPathWithOutputs(path);
  },
  write(to, path, { store, minor }) {
    to.text(minor >= 30 ? printDerivedPath(path, store) : printPathWithOutputs(path, store));
  },
};

/** A path and, after `!`, names of outputs: what the serve protocol has, too. */
export const pathWithOutputs: WireCodec<DerivedPath> = {
  *read(from, context) {
    return readPathWithOutputs(parseDerivedPath(yield* text.read(from, context), context.store));
  },
  write: (to, path, { store }) => to.text(printPathWithOutputs(path, store)),
};

function readPathWithOutputs(path: DerivedPath): DerivedPath {
  if (path.kind === 'opaque' && path.path.isDerivation)
    return { kind: 'built', drvPath: path, outputs: 'all' };
  return path;
}

function printPathWithOutputs(path: DerivedPath, store: StoreDirectory): string {
  const shown = printDerivedPath(path, store);
  if (path.kind === 'opaque') {
    if (path.path.isDerivation) throw tooOld(`the derivation '${shown}' itself`);
    return shown;
  }
  if (path.drvPath.kind === 'built') throw tooOld(`'${shown}', an output of an output`);
  return path.outputs === 'all' ? store.print(path.drvPath.path) : shown;
}

function tooOld(what: string): NixCompatError {
  return new NixCompatError(
    'unsupported-protocol',
    `the other side is too old to be asked for ${what}; that needs version 1.30 of the protocol`,
  );
}

const maxDepth = 64;

/** 0 and a path, or 1, a path of this kind, and the name of an output. */
export const singleDerivedPath: WireCodec<SingleDerivedPath> = {
  read: (from, context) => readSingle(from, context, 0),
  write(to, it, context) {
    to.number(it.kind === 'opaque' ? 0 : 1);
    if (it.kind === 'opaque') return storePath.write(to, it.path, context);
    singleDerivedPath.write(to, it.drvPath, context);
    to.text(it.output);
  },
};

function* readSingle(from: WireInput, context: WireContext, depth: number): Reading<SingleDerivedPath> {
  const tag = yield* from.readNumber(Number.MAX_SAFE_INTEGER);
  if (tag === 0) return { kind: 'opaque', path: yield* storePath.read(from, context) };
  if (tag !== 1) throw new NixCompatError('bad-message', `there is no kind ${tag} of derived paths`);
  if (depth === maxDepth) {
    throw new NixCompatError('message-too-large', `more than ${maxDepth} outputs of outputs are asked for`);
  }
  const drvPath: SingleDerivedPath = yield* readSingle(from, context, depth + 1);
  return { kind: 'built', drvPath, output: checkedName(yield* text.read(from, context)) };
}
