/**
 * What the outputs of derivations are whose paths follow from their contents:
 *
 *     build-trace-v2/<base name of the derivation>/<output>.doi   since Nix 2.35
 *         { "outPath": base name, "signatures": [ … ] }
 *     realisations/sha256:<hex>!<output>.doi                      before
 *         { "dependentRealisations": { … }, "id": the same as in the name, "outPath": base name, "signatures": [ … ] }
 *
 * A signature is a text as in a narinfo, or { "keyName", "sig" }. It is over the JSON without signatures and without white space,
 * keys in order; over `{"key":{"drvPath","outputName"},"value":{"outPath"}}` since 2.35. What is put must name a path of the
 * cache and be signed where that is wanted; the cache's own keys are added when it is served. A trace whose path is gone is gone
 * as well.
 */
import { encodeUtf8 } from '@neve/bytes';
import {
  type Ed25519,
  type JsonObject,
  type JsonValue,
  NixCompatError,
  type PublicKey,
  type SecretKey,
  type Signature,
  type StorePath,
  isJsonObject,
  parseJson,
  parseSignature,
  parseStorePath,
  printJson,
  printSignature,
  signFingerprint,
  verifyFingerprint,
} from '@neve/nix-compat';
import type { PathInfoService } from '@neve/store';
import type { CacheDocuments } from './cache-documents.ts';
import type { CacheRoute, RouteAnswer } from './cache-route.ts';
import type { Decompress } from './nar-compressions.ts';
import { Refusal, answerRefusals } from './refusal.ts';
import { readRequestBody } from './request-body.ts';
import { bytesResponse, notFound } from './text-response.ts';

/** Traces that are known from elsewhere, as from builds of this machine. */
export interface KnownTraces {
  /** `id` is `sha256:<hex>!<output>`. */
  find(
    id: string,
  ): Promise<{ readonly outPath: StorePath; readonly signatures: readonly Signature[] } | undefined>;
}

export type BuildTraceOptions = {
  readonly documents: CacheDocuments;
  readonly pathInfos: PathInfoService;
  readonly knownTraces: KnownTraces | undefined;
  readonly signingKeys: readonly SecretKey[];
  readonly ed25519: Ed25519;
};

export type BuildTraceUploads = {
  readonly decompress: Decompress;
  readonly trustedKeys: readonly PublicKey[];
  readonly requireSignatures: boolean;
};

export const maxTraceBytes: number = 1 << 20;

export const traceHeaders = {
  'content-type': 'application/json',
  'cache-control': 'public, max-age=300',
} as const;
const oldName = /^(sha256:[0-9a-f]{64}![0-9a-zA-Z+\-._?=]+)\.doi$/;
const outputName = /^([0-9a-zA-Z+\-._?=]{1,211})\.doi$/;

/** What a name stands for: a trace is signed together with it. */
type TraceKey =
  | { readonly kind: 'old'; readonly name: string; readonly id: string }
  | { readonly kind: 'new'; readonly name: string; readonly drvPath: string; readonly outputName: string };

export function buildTraceRoute(
  options: BuildTraceOptions,
  uploads: BuildTraceUploads | undefined,
): CacheRoute {
  return {
    matches: (path) => keyOf(path) !== undefined,
    async get({ signal }, path) {
      const key = keyOf(path);
      const trace = key === undefined ? undefined : await findTrace(key, options);
      if (key === undefined || trace === undefined || !(await hasOutput(trace, options.pathInfos, signal))) {
        return notFound('this build trace');
      }
      const bytes = encodeUtf8(printJson(withOwnSignatures(key, trace, options)));
      return bytesResponse(bytes, {
        headers: traceHeaders,
      });
    },
    put: uploads === undefined ? undefined : putTrace(options, uploads),
  };
}

/** A build trace that comes from elsewhere, as it is served here, with the path that it names. */
export type VouchedTrace = { readonly bytes: Uint8Array; readonly outPath: StorePath };

type Vouching = {
  /** One of them must have signed it. */
  readonly trustedKeys: readonly PublicKey[];
  readonly signingKeys: readonly SecretKey[];
  readonly ed25519: Ed25519;
};

/** Nothing for a name that is none of a build trace, and for bytes that are none or are not signed as they should be. */
export function vouchForTrace(
  path: readonly string[],
  bytes: Uint8Array,
  { trustedKeys, ...options }: Vouching,
): VouchedTrace | undefined {
  const key = keyOf(path);
  if (key === undefined) return undefined;
  try {
    const trace = readTrace(key, bytes);
    checkSignatures(key, trace, { ...options, trustedKeys, requireSignatures: true });
    const outPath = outPathOf(trace);
    return outPath && { bytes: encodeUtf8(printJson(withOwnSignatures(key, trace, options))), outPath };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Whether the path of a request, without its first slash, names a build trace. */
export function isTraceName(path: readonly string[]): boolean {
  return keyOf(path) !== undefined;
}

function keyOf(path: readonly string[]): TraceKey | undefined {
  const name = path.join('/');
  const [folder, first = '', second = ''] = path;
  if (folder === 'realisations' && path.length === 2) {
    const id = oldName.exec(first)?.[1];
    return id === undefined ? undefined : { kind: 'old', name, id };
  }
  if (folder !== 'build-trace-v2' || path.length !== 3) return undefined;
  const output = outputName.exec(second)?.[1];
  const derivation = tryParseStorePath(first);
  if (output === undefined || derivation?.isDerivation !== true) return undefined;
  return { kind: 'new', name, drvPath: first, outputName: output };
}

async function findTrace(key: TraceKey, options: BuildTraceOptions): Promise<JsonObject | undefined> {
  const document = await options.documents.get(key.name);
  if (document !== undefined) {
    const value = parseJson(document);
    return isJsonObject(value) ? value : undefined;
  }
  const known = key.kind === 'old' ? await options.knownTraces?.find(key.id) : undefined;
  if (known === undefined || key.kind !== 'old') return undefined;
  return new Map<string, JsonValue>([
    ['dependentRealisations', new Map()],
    ['id', key.id],
    ['outPath', known.outPath.baseName],
    ['signatures', known.signatures.map(printSignature)],
  ]);
}

async function hasOutput(
  trace: JsonObject,
  pathInfos: PathInfoService,
  signal: AbortSignal,
): Promise<boolean> {
  const outPath = outPathOf(trace);
  return outPath !== undefined && pathInfos.has(outPath.hashPart, signal);
}

function withOwnSignatures(
  key: TraceKey,
  trace: JsonObject,
  { signingKeys, ed25519 }: Pick<BuildTraceOptions, 'signingKeys' | 'ed25519'>,
): JsonObject {
  if (signingKeys.length === 0) return trace;
  const fingerprint = fingerprintOf(key, trace);
  const own = signingKeys.map((it) => printSignature(signFingerprint(fingerprint, it, ed25519)));
  const names = new Set(signingKeys.map(({ name }) => name));
  const others = signaturesOf(trace).filter((it) => !names.has(signatureOf(it)?.keyName ?? ''));
  return new Map<string, JsonValue>([...trace, ['signatures', [...others, ...own]]]);
}

function putTrace(options: BuildTraceOptions, uploads: BuildTraceUploads): RouteAnswer {
  return async (request, path) => {
    const key = keyOf(path);
    const bytes = await readRequestBody(request, { maxBytes: maxTraceBytes, decompress: uploads.decompress });
    if (!(bytes instanceof Uint8Array)) return bytes;
    return answerRefusals(async () => {
      if (key === undefined) throw new Refusal(400, 'this is not the name of a build trace');
      const trace = readTrace(key, bytes);
      const outPath = outPathOf(trace);
      if (outPath === undefined || !(await options.pathInfos.has(outPath.hashPart, request.signal))) {
        throw new Refusal(409, `the path '${outPath?.baseName}' is not here; put it before its build trace`);
      }
      checkSignatures(key, trace, { ...options, ...uploads });
      await options.documents.put(new Map([[key.name, encodeUtf8(printJson(trace))]]));
      return { status: 201, headers: { 'content-length': '0' } };
    });
  };
}

function readTrace(key: TraceKey, bytes: Uint8Array): JsonObject {
  try {
    const trace = parseJson(bytes);
    if (!isJsonObject(trace)) throw new Refusal(400, 'a build trace is a JSON object');
    if (outPathOf(trace) === undefined)
      throw new Refusal(400, "its 'outPath' is not the base name of a store path");
    if (key.kind === 'old' && trace.get('id') !== key.id) throw new Refusal(400, `its 'id' is not ${key.id}`);
    const signatures = signaturesOf(trace);
    if (signatures.some((it) => signatureOf(it) === undefined)) {
      throw new Refusal(400, "its 'signatures' are not all '<key>:<base 64>'");
    }
    return trace;
  } catch (error) {
    if (error instanceof NixCompatError) throw new Refusal(400, error.message);
    throw error;
  }
}

type Trust = Omit<BuildTraceUploads, 'decompress'> & { readonly ed25519: Ed25519 };

function checkSignatures(
  key: TraceKey,
  trace: JsonObject,
  { requireSignatures, trustedKeys: keys, ed25519 }: Trust,
): void {
  if (!requireSignatures) return;
  const fingerprint = fingerprintOf(key, trace);
  const isTrusted = signaturesOf(trace).some((it) => {
    const signature = signatureOf(it);
    return signature !== undefined && verifyFingerprint(fingerprint, { signature, keys }, ed25519);
  });
  if (isTrusted) return;
  throw new Refusal(
    403,
    'the build trace has no valid signature by a key that this cache trusts; sign it by one of them',
  );
}

function fingerprintOf(key: TraceKey, trace: JsonObject): string {
  const unsigned = new Map([...trace].filter(([name]) => name !== 'signatures'));
  if (key.kind === 'old') return printJson(unsigned);
  const { drvPath, outputName: output } = key;
  return printJson(
    new Map<string, JsonValue>([
      [
        'key',
        new Map([
          ['drvPath', drvPath],
          ['outputName', output],
        ]),
      ],
      ['value', unsigned],
    ]),
  );
}

function outPathOf(trace: JsonObject): StorePath | undefined {
  const value = trace.get('outPath');
  return typeof value === 'string' ? tryParseStorePath(value) : undefined;
}

function signaturesOf(trace: JsonObject): readonly JsonValue[] {
  const value = trace.get('signatures');
  if (value === undefined || value === null || typeof value !== 'object' || isJsonObject(value)) return [];
  return value;
}

function signatureOf(value: JsonValue): Signature | undefined {
  const text = isJsonObject(value) ? objectSignature(value) : value;
  try {
    return typeof text === 'string' ? parseSignature(text) : undefined;
  } catch (error) {
    if (error instanceof NixCompatError) return undefined;
    throw error;
  }
}

function objectSignature(value: JsonObject): string | undefined {
  const [keyName, signature] = [value.get('keyName'), value.get('sig')];
  return typeof keyName === 'string' && typeof signature === 'string' ? `${keyName}:${signature}` : undefined;
}

function tryParseStorePath(baseName: string): StorePath | undefined {
  try {
    return parseStorePath(baseName);
  } catch (error) {
    if (error instanceof NixCompatError) return undefined;
    throw error;
  }
}
