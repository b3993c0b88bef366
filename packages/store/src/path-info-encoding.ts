/**
 * The message `PathInfo` of `snix.store.v1`, written by hand: what services send and what is stored.
 *
 *     PathInfo    entry = 1 (`Entry` of castore, its name is the base name)   references = 2* (20 bytes)   narinfo = 3
 *     NARInfo     nar_size = 1   nar_sha256 = 2   signatures = 3*   reference_names = 4* (base names)   deriver = 5   ca = 6
 *     Signature   name = 1   data = 2 (64 bytes)
 *     StorePath   name = 1 (a deriver's without `.drv`)   digest = 2 (20 bytes)
 *     CA          type = 1   digest = 2
 *
 * Writing is canonical: fields in order, defaults left out. A path info is no hash preimage, so reading is not as strict as
 * that of directories: fields may come in any order, the last one of a single field counts, fields that nobody knows (of
 * the wire types 0 and 2) are passed over, and references are put in order. Every value is checked, and the entry has to be
 * canonical as all that concerns nodes.
 */
import { BytesError, Digest, ProtobufReader, ProtobufWriter } from '@neve/bytes';
import { decodeNixBase32, decodeUtf8, encodeNixBase32, encodeUtf8, equalBytes } from '@neve/bytes';
import type { HashAlgorithm } from '@neve/bytes';
import { CastoreError, decodeEntry, encodeEntry } from '@neve/castore';
import { NixCompatError, StorePath, parseStorePath, storePathSet } from '@neve/nix-compat';
import type { ContentAddress, ContentAddressMethod, Signature } from '@neve/nix-compat';
import type { PathInfo } from './path-info.ts';
import { StoreError } from './store-error.ts';

/** The number of a content address on the wire is its place here. */
const contentAddressTypes: readonly (readonly [ContentAddressMethod, HashAlgorithm])[] = [
  ['nar', 'sha256'],
  ['nar', 'sha1'],
  ['nar', 'sha512'],
  ['nar', 'md5'],
  ['text', 'sha256'],
  ['flat', 'sha1'],
  ['flat', 'md5'],
  ['flat', 'sha256'],
  ['flat', 'sha512'],
];

const hashPartBytes = 20;
const signatureBytes = 64;
const derivationSuffix = '.drv';

/** Throws `StoreError`: `unsupported` for a content address that the format has no number for, else `invalid-path-info`. */
export function encodePathInfo(pathInfo: PathInfo): Uint8Array {
  const writer = new ProtobufWriter(512);
  writer.message(1, encodeEntry(pathInfo.node, encodeUtf8(pathInfo.storePath.baseName)));
  const references = storePathSet(pathInfo.references);
  for (const { hashPart } of references) writer.message(2, decodeNixBase32(hashPart));
  writer.message(3, encodeNarInfo(pathInfo, references));
  return writer.finish();
}

/** Throws `StoreError` (`invalid-path-info`). The result does not depend on `bytes` any more. */
export function decodePathInfo(bytes: Uint8Array): PathInfo {
  return refusing(() => {
    let entry: Uint8Array | undefined;
    let narInfo: Uint8Array | undefined;
    const references: Uint8Array[] = [];
    // The parts are views of this copy.
    const reader = new ProtobufReader(new Uint8Array(bytes));
    while (reader.next()) {
      if (reader.field === 1) entry = reader.bytes();
      else if (reader.field === 2) references.push(reader.bytes());
      else if (reader.field === 3) narInfo = reader.bytes();
      else skip(reader);
    }
    if (narInfo === undefined) throw bad('it has no narinfo');
    references.forEach((it, index) => {
      if (it.length !== hashPartBytes)
        throw bad(`reference ${index} has ${it.length} bytes, not ${hashPartBytes}`);
    });
    if (entry === undefined) throw bad('it has no entry');
    const { name, node } = decodeEntry(entry);
    const storePath = inside('the name of its entry', () => parseStorePath(readText(name)));
    return { storePath, node, ...decodeNarInfo(narInfo, references) };
  });
}

function encodeNarInfo(pathInfo: PathInfo, references: readonly StorePath[]): Uint8Array {
  const { narHash, narSize, deriver, contentAddress, storePath } = pathInfo;
  if (narHash.algorithm !== 'sha256') throw bad(`the NAR hash of ${storePath.baseName} is no SHA-256`);
  const writer = new ProtobufWriter(256);
  writer.integer(1, narSize);
  writer.bytes(2, narHash.bytes);
  for (const { keyName, bytes } of pathInfo.signatures) {
    writer.message(
      3,
      fieldsOf((it) => (it.bytes(1, encodeUtf8(keyName)), it.bytes(2, bytes))),
    );
  }
  for (const { baseName } of references) writer.message(4, encodeUtf8(baseName));
  if (deriver !== undefined) {
    if (!deriver.isDerivation) throw bad(`the deriver ${deriver.baseName} is no derivation`);
    const name = encodeUtf8(deriver.name.slice(0, -derivationSuffix.length));
    writer.message(
      5,
      fieldsOf((it) => (it.bytes(1, name), it.bytes(2, decodeNixBase32(deriver.hashPart)))),
    );
  }
  if (contentAddress !== undefined) {
    const type = contentAddressType(contentAddress, storePath);
    writer.message(
      6,
      fieldsOf((it) => (it.integer(1, type), it.bytes(2, contentAddress.digest.bytes))),
    );
  }
  return writer.finish();
}

function contentAddressType({ method, digest }: ContentAddress, { baseName }: StorePath): number {
  const type = contentAddressTypes.findIndex(
    ([m, algorithm]) => m === method && algorithm === digest.algorithm,
  );
  if (type >= 0) return type;
  throw new StoreError(
    'unsupported',
    `the path info of ${baseName} cannot be written: its format has no content address of '${method}' by ${digest.algorithm}`,
  );
}

function fieldsOf(write: (writer: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter(128);
  write(writer);
  return writer.finish();
}

type NarInfoPart = Omit<PathInfo, 'storePath' | 'node'>;

function decodeNarInfo(bytes: Uint8Array, referenceDigests: readonly Uint8Array[]): NarInfoPart {
  let narSize = 0;
  let narHash: Uint8Array = new Uint8Array();
  let deriver: Uint8Array | undefined;
  let contentAddress: Uint8Array | undefined;
  const signatures: Signature[] = [];
  const names: Uint8Array[] = [];
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) narSize = reader.integer();
    else if (reader.field === 2) narHash = reader.bytes();
    else if (reader.field === 3) signatures.push(decodeSignature(reader.bytes(), signatures.length));
    else if (reader.field === 4) names.push(reader.bytes());
    else if (reader.field === 5) deriver = reader.bytes();
    else if (reader.field === 6) contentAddress = reader.bytes();
    else skip(reader);
  }
  if (narHash.length !== 32) throw bad(`the SHA-256 of its NAR has ${narHash.length} bytes`);
  return {
    narSize,
    narHash: new Digest('sha256', narHash),
    signatures,
    references: decodeReferences(names, referenceDigests),
    deriver: deriver === undefined ? undefined : decodeDeriver(deriver),
    contentAddress: contentAddress === undefined ? undefined : decodeContentAddress(contentAddress),
  };
}

function decodeReferences(
  names: readonly Uint8Array[],
  digests: readonly Uint8Array[],
): readonly StorePath[] {
  if (names.length !== digests.length) {
    throw bad(`it has ${digests.length} references and ${names.length} names of references`);
  }
  const paths = names.map((name, index) =>
    inside(`reference ${index}`, () => parseStorePath(readText(name))),
  );
  paths.forEach((path, index) => {
    if (equalBytes(decodeNixBase32(path.hashPart), digests[index] ?? new Uint8Array())) return;
    throw bad(`the name of reference ${index}, ${path.baseName}, has another hash than the reference`);
  });
  return storePathSet(paths);
}

function decodeSignature(bytes: Uint8Array, index: number): Signature {
  const { first, second } = decodePair(bytes);
  const keyName = readText(first);
  if (!/^[^:\s]+$/.test(keyName)) throw bad(`signature ${index} is by a key that cannot have its name`);
  if (second.length !== signatureBytes) {
    throw bad(`signature ${index} has ${second.length} bytes, not ${signatureBytes}`);
  }
  return { keyName, bytes: second };
}

function decodeDeriver(bytes: Uint8Array): StorePath {
  const { first, second } = decodePair(bytes);
  if (second.length !== hashPartBytes) throw bad(`the hash of its deriver has ${second.length} bytes`);
  const name = readText(first);
  return inside('its deriver', () => new StorePath(encodeNixBase32(second), name + derivationSuffix));
}

/** Two fields of bytes, as signatures and store paths are. */
function decodePair(bytes: Uint8Array): { readonly first: Uint8Array; readonly second: Uint8Array } {
  let first: Uint8Array = new Uint8Array();
  let second: Uint8Array = new Uint8Array();
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) first = reader.bytes();
    else if (reader.field === 2) second = reader.bytes();
    else skip(reader);
  }
  return { first, second };
}

function decodeContentAddress(bytes: Uint8Array): ContentAddress {
  let type = 0;
  let digest: Uint8Array = new Uint8Array();
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) type = reader.integer();
    else if (reader.field === 2) digest = reader.bytes();
    else skip(reader);
  }
  const known = contentAddressTypes[type];
  if (known === undefined) throw bad(`its content address has the unknown type ${type}`);
  const [method, algorithm] = known;
  return inside('its content address', () => ({ method, digest: new Digest(algorithm, digest) }));
}

/** Reads over the value of a field that nobody knows. */
function skip(reader: ProtobufReader): void {
  if (reader.wireType === 0) reader.integer();
  else reader.bytes();
}

function readText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (!equalBytes(encodeUtf8(text), bytes)) throw bad('a text is not UTF-8');
  return text;
}

/** Says which part of the message was refused. */
function inside<T>(part: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    throw bad(`${part}: ${cause.message}`, cause);
  }
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    throw bad(cause.message, cause);
  }
}

function isRefusal(error: unknown): error is Error {
  return error instanceof BytesError || error instanceof CastoreError || error instanceof NixCompatError;
}

function bad(problem: string, cause?: Error): StoreError {
  return new StoreError(
    'invalid-path-info',
    `invalid path info: ${problem}`,
    cause === undefined ? {} : { cause },
  );
}
