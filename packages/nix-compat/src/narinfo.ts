/**
 * A narinfo: what a binary cache says about one store object. Lines of `<key>: <value>`, each ended by a line feed:
 *
 *     StorePath    absolute path                                                    once
 *     URL          where the compressed NAR is, relative to the cache               once
 *     Compression  one of `compressionExtensions`                                   bzip2 when it is missing
 *     FileHash     SHA-256 of the compressed NAR, `sha256:<nixbase32>`              may be missing
 *     FileSize     its size in bytes; 0 says nothing                                may be missing
 *     NarHash      SHA-256 of the NAR                                               once
 *     NarSize      its size in bytes, not 0                                         once
 *     References   base names of paths, separated by spaces                         none when it is missing
 *     Deriver      base name of a derivation, or `unknown-deriver`                  may be missing
 *     Sig          signature of the fingerprint                                     any number of times
 *     CA           content address; an empty one says nothing                       may be missing
 *
 * Other keys are ignored. Nix lets most keys come twice and takes the last; here that is a mistake, since the two cannot
 * both be true. Hashes are read in hex, base 64 and as SRI too.
 */
import { BytesError, type Digest, parseDigest } from '@neve/bytes';
import { type Compression, isCompression } from './compression.ts';
import { type ContentAddress, parseContentAddress, printContentAddress } from './content-address.ts';
import { NixCompatError } from './nix-compat-error.ts';
import { type Signature, parseSignature, printSignature } from './signature.ts';
import type { StoreDirectory } from './store-directory.ts';
import { type StorePath, parseStorePath, storePathSet } from './store-path.ts';

export type NarInfo = {
  readonly storePath: StorePath;
  /** Relative to the root of the cache, or absolute. */
  readonly url: string;
  readonly compression: Compression;
  /** SHA-256 of what `url` gives. */
  readonly fileHash?: Digest | undefined;
  /** In bytes, at least 1. */
  readonly fileSize?: number | undefined;
  /** SHA-256. */
  readonly narHash: Digest;
  /** In bytes, at least 1. */
  readonly narSize: number;
  /** In the order of their base names, none twice. */
  readonly references: readonly StorePath[];
  readonly deriver?: StorePath | undefined;
  readonly signatures: readonly Signature[];
  readonly contentAddress?: ContentAddress | undefined;
};

const keys = [
  'StorePath',
  'URL',
  'Compression',
  'FileHash',
  'FileSize',
  'NarHash',
  'NarSize',
  'References',
  'Deriver',
  'Sig',
  'CA',
] as const;

type Key = (typeof keys)[number];

type Field = { readonly key: Key; readonly value: string; readonly line: number };

/** Throws `NixCompatError`, which names the line and the key. */
export function parseNarInfo(text: string, store: StoreDirectory): NarInfo {
  const fields = readFields(text);
  const one = (key: Key): Field | undefined => fields.get(key)?.[0];
  const required = (key: Key): Field => {
    const field = one(key);
    if (field === undefined) throw bad(`${key} is missing`);
    return field;
  };
  return {
    storePath: readValue(required('StorePath'), (value) => store.parse(value)),
    url: readValue(required('URL'), parseUrl),
    compression: readOptional(one('Compression'), parseCompression) ?? 'bzip2',
    fileHash: readOptional(one('FileHash'), parseSha256),
    fileSize: readOptional(one('FileSize'), (value) => parseSize(value) || undefined),
    narHash: readValue(required('NarHash'), parseSha256),
    narSize: readValue(required('NarSize'), parseNarSize),
    references: readOptional(one('References'), parseReferences) ?? [],
    deriver: readOptional(one('Deriver'), parseDeriver),
    signatures: (fields.get('Sig') ?? []).map((field) => readValue(field, parseSignature)),
    contentAddress: readOptional(one('CA'), (value) =>
      value === '' ? undefined : parseContentAddress(value),
    ),
  };
}

/** The text in the order of keys that Nix has. Throws `NixCompatError` for what could not be read again. */
export function printNarInfo(info: NarInfo, store: StoreDirectory): string {
  checkPrintable(info);
  const { fileHash, fileSize, deriver, contentAddress } = info;
  const lines = [
    `StorePath: ${store.print(info.storePath)}`,
    `URL: ${info.url}`,
    `Compression: ${info.compression}`,
    ...(fileHash === undefined ? [] : [`FileHash: sha256:${fileHash.format('nix32')}`]),
    ...(fileSize === undefined ? [] : [`FileSize: ${fileSize}`]),
    `NarHash: sha256:${info.narHash.format('nix32')}`,
    `NarSize: ${info.narSize}`,
    `References: ${storePathSet(info.references)
      .map((path) => path.baseName)
      .join(' ')}`,
    ...(deriver === undefined ? [] : [`Deriver: ${deriver.baseName}`]),
    ...info.signatures.map((signature) => `Sig: ${printSignature(signature)}`),
    ...(contentAddress === undefined ? [] : [`CA: ${printContentAddress(contentAddress)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function checkPrintable({ url, fileHash, fileSize, narHash, narSize }: NarInfo): void {
  parseUrl(url);
  if (narHash.algorithm !== 'sha256') throw bad('NarHash is not a SHA-256');
  if (fileHash !== undefined && fileHash.algorithm !== 'sha256') throw bad('FileHash is not a SHA-256');
  for (const [key, size] of [
    ['NarSize', narSize],
    ['FileSize', fileSize ?? 1],
  ] as const) {
    if (!Number.isSafeInteger(size) || size < 1) throw bad(`${key} ${size} is not a size in bytes`);
  }
}

/** The fields of known keys. Only `Sig` may come more than once. */
function readFields(text: string): ReadonlyMap<Key, readonly Field[]> {
  const lines = text.split('\n');
  const rest = lines.pop();
  if (rest !== '') throw bad(`line ${lines.length + 1} does not end with a line feed: the file is cut off`);
  const fields = new Map<Key, Field[]>();
  lines.forEach((text, index) => {
    const field = readField(text, index + 1);
    if (field === undefined) return;
    const earlier = fields.get(field.key);
    if (earlier === undefined) fields.set(field.key, [field]);
    else if (field.key === 'Sig') earlier.push(field);
    else throw bad(`${field.key} comes again in line ${field.line}, after line ${earlier[0]?.line}`);
  });
  return fields;
}

function readField(text: string, line: number): Field | undefined {
  const [, name, value] = /^([^:]*): (.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw bad(`line ${line} is not '<key>: <value>': ${JSON.stringify(text)}`);
  }
  const key = keys.find((key) => key === name);
  return key === undefined ? undefined : { key, value, line };
}

/** Adds the line and the key to what is wrong with a value. */
function readValue<T>({ key, value, line }: Field, parse: (value: string) => T): T {
  try {
    return parse(value);
  } catch (cause) {
    if (!(cause instanceof NixCompatError) && !(cause instanceof BytesError)) throw cause;
    throw bad(`${key} in line ${line}: ${cause.message}`, { cause });
  }
}

function readOptional<T>(field: Field | undefined, parse: (value: string) => T): T | undefined {
  return field === undefined ? undefined : readValue(field, parse);
}

function parseUrl(value: string): string {
  if (value === '') throw badValue('the URL is empty');
  if (/[\0-\x20\x7f]/.test(value)) throw badValue(`${JSON.stringify(value)} is not a URL`);
  return value;
}

function parseCompression(value: string): Compression {
  if (value === '') return 'bzip2';
  if (!isCompression(value)) throw badValue(`unknown compression '${value}'`);
  return value;
}

function parseSha256(value: string): Digest {
  // A bare digest would do for `parseDigest`, but not for Nix.
  if (!/^sha256[:-]/.test(value)) throw badValue(`'${value}' is not a SHA-256 with 'sha256:' in front`);
  return parseDigest(value);
}

function parseSize(value: string): number {
  const size = /^[0-9]+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(size)) throw badValue(`'${value}' is not a number of bytes up to 2^53-1`);
  return size;
}

function parseNarSize(value: string): number {
  const size = parseSize(value);
  if (size === 0) throw badValue('no NAR has 0 bytes');
  return size;
}

function parseReferences(value: string): readonly StorePath[] {
  return storePathSet(
    value
      .split(' ')
      .filter((baseName) => baseName !== '')
      .map(parseStorePath),
  );
}

function parseDeriver(value: string): StorePath | undefined {
  return value === 'unknown-deriver' ? undefined : parseStorePath(value);
}

/** What is wrong with one value; `readValue` says whose it is. */
function badValue(problem: string): NixCompatError {
  return new NixCompatError('bad-narinfo', problem);
}

function bad(problem: string, options?: ErrorOptions): NixCompatError {
  return new NixCompatError('bad-narinfo', `bad narinfo: ${problem}`, options);
}
