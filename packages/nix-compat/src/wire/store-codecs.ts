/**
 * What both protocols say about stores. Paths are absolute on the wire, and no path is the empty string. Sets are sent in
 * order; what comes out of order or twice is put in order.
 */
import { BytesError, type Digest, compareBytes, encodeUtf8, parseDigest } from '@neve/bytes';
import { type ContentAddress, parseContentAddress, printContentAddress } from '../content-address.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import { type Signature, parseSignature, printSignature } from '../signature.ts';
import { type StorePath, checkStorePathName, parseStorePath, storePathSet } from '../store-path.ts';
import { listOf, mapOf, mapped } from './compound-codecs.ts';
import { text } from './primitive-codecs.ts';
import type { WireCodec } from './wire-codec.ts';

export const storePath: WireCodec<StorePath> = {
  *read(from, context) {
    return context.store.parse(yield* text.read(from, context));
  },
  write: (to, path, { store }) => to.text(store.print(path)),
};

export const optionalStorePath: WireCodec<StorePath | undefined> = {
  *read(from, context) {
    const path = yield* text.read(from, context);
    return path === '' ? undefined : context.store.parse(path);
  },
  write: (to, path, { store }) => to.text(path === undefined ? '' : store.print(path)),
};

/** Without the store's directory in front. */
export const storePathBaseName: WireCodec<StorePath> = mapped(text, {
  read: parseStorePath,
  write: (path: StorePath) => path.baseName,
});

export const storePaths: WireCodec<readonly StorePath[]> = mapped(listOf(storePath), {
  read: storePathSet,
  write: storePathSet,
});

/** In the order in which they come. */
export const storePathList: WireCodec<readonly StorePath[]> = listOf(storePath);

export const contentAddress: WireCodec<ContentAddress> = mapped(text, {
  read: parseContentAddress,
  write: printContentAddress,
});

export const optionalContentAddress: WireCodec<ContentAddress | undefined> = mapped(text, {
  read: (printed) => (printed === '' ? undefined : parseContentAddress(printed)),
  write: (address: ContentAddress | undefined) => (address === undefined ? '' : printContentAddress(address)),
});

/** In the order of their keys' names and then of their bytes, none twice. */
export const signatures: WireCodec<readonly Signature[]> = mapped(listOf(text), {
  read: (printed) => signatureSet(printed.map(parseSignature)),
  write: (them: readonly Signature[]) => signatureSet(them).map(printSignature),
});

function signatureSet(them: readonly Signature[]): readonly Signature[] {
  const byText = new Map(them.map((it) => [printSignature(it), it]));
  return [...byText.values()].sort(
    (a, b) => compareBytes(encodeUtf8(a.keyName), encodeUtf8(b.keyName)) || compareBytes(a.bytes, b.bytes),
  );
}

/** The SHA-256 of a NAR, written in hex without the algorithm. */
export const narHash: WireCodec<Digest> = mapped(text, {
  read: (printed) => readDigest(printed, 'sha256'),
  write: (digest: Digest) => digest.format('hex'),
});

/** Reads a digest and says `bad-message` when it is none. */
export function readDigest(printed: string, algorithm?: 'sha256'): Digest {
  try {
    return parseDigest(printed, algorithm);
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw new NixCompatError('bad-message', cause.message, { cause });
  }
}

/** The name of an output; it is a part of the name of a store path. */
export const outputName: WireCodec<string> = mapped(text, { read: checkedName, write: checkedName });

/** Paths of outputs by name, of those that are known. */
export const outputPaths: WireCodec<ReadonlyMap<string, StorePath | undefined>> = mapOf(
  outputName,
  optionalStorePath,
);

export function checkedName(name: string): string {
  checkStorePathName(name);
  return name;
}
