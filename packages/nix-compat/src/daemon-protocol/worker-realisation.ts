/**
 * Entries of the build trace on the way to a daemon and back. What an output is named by depends on the other side: with
 * the feature `realisation-with-path-not-hash` by its derivation, else by a hash; see realisation.ts.
 */
import { encodeUtf8 } from '@neve/bytes';
import { printJson, parseJson } from '../json.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import {
  type DrvOutput,
  type HashedDrvOutput,
  type HashedRealisation,
  type KeyedRealisation,
  type UnkeyedRealisation,
  hashedRealisationOfJson,
  hashedRealisationToJson,
  parseHashedDrvOutput,
  printHashedDrvOutput,
} from '../realisation.ts';
import type { StorePath } from '../store-path.ts';
import { unkeyedRealisation } from '../wire/build-result-codec.ts';
import { listOf, mapped, optional, record } from '../wire/compound-codecs.ts';
import { text } from '../wire/primitive-codecs.ts';
import { outputName, storePath, storePaths } from '../wire/store-codecs.ts';
import type { WireCodec, WireContext } from '../wire/wire-codec.ts';
import { realisationWithPath } from './worker-version.ts';

export type WorkerDrvOutput =
  | ({ readonly kind: 'keyed' } & DrvOutput)
  | ({ readonly kind: 'hashed' } & HashedDrvOutput);

export type WorkerRealisation =
  | ({ readonly kind: 'keyed' } & KeyedRealisation)
  | ({ readonly kind: 'hashed' } & HashedRealisation);

/** What is known of an output: nothing, or its path. */
export type WorkerRealisationAnswer =
  | { readonly kind: 'keyed'; readonly realisation?: UnkeyedRealisation | undefined }
  | { readonly kind: 'hashed'; readonly realisations: readonly HashedRealisation[] }
  /** Before 1.31. */
  | { readonly kind: 'paths'; readonly paths: readonly StorePath[] };

export const drvOutput: WireCodec<DrvOutput> = record<DrvOutput>({ drvPath: storePath, outputName });

export const keyedRealisation: WireCodec<KeyedRealisation> = {
  *read(from, context) {
    const key = yield* drvOutput.read(from, context);
    return { ...key, ...(yield* unkeyedRealisation.read(from, context)) };
  },
  write(to, it, context) {
    drvOutput.write(to, it, context);
    unkeyedRealisation.write(to, it, context);
  },
};

export const hashedDrvOutput: WireCodec<HashedDrvOutput> = mapped(text, {
  read: parseHashedDrvOutput,
  write: printHashedDrvOutput,
});

/** As a text of JSON, with signatures as texts, since old versions know no others. */
export const hashedRealisation: WireCodec<HashedRealisation> = mapped(text, {
  read: (printed) => hashedRealisationOfJson(parseJson(encodeUtf8(printed))),
  write: (it: HashedRealisation) => printJson(hashedRealisationToJson(it, 'text')),
});

export const workerDrvOutput: WireCodec<WorkerDrvOutput> = {
  *read(from, context) {
    if (namesByPath(context)) return { kind: 'keyed', ...(yield* drvOutput.read(from, context)) };
    return { kind: 'hashed', ...(yield* hashedDrvOutput.read(from, context)) };
  },
  write(to, it, context) {
    checkForm(it.kind, context);
    if (it.kind === 'keyed') drvOutput.write(to, it, context);
    else hashedDrvOutput.write(to, it, context);
  },
};

export const workerRealisation: WireCodec<WorkerRealisation> = {
  *read(from, context) {
    if (namesByPath(context)) return { kind: 'keyed', ...(yield* keyedRealisation.read(from, context)) };
    if (context.minor >= 31) return { kind: 'hashed', ...(yield* hashedRealisation.read(from, context)) };
    const id = yield* hashedDrvOutput.read(from, context);
    const outPath = yield* storePath.read(from, context);
    return { kind: 'hashed', ...id, outPath, signatures: [], dependentRealisations: [] };
  },
  write(to, it, context) {
    checkForm(it.kind, context);
    if (it.kind === 'keyed') return keyedRealisation.write(to, it, context);
    if (context.minor >= 31) return hashedRealisation.write(to, it, context);
    hashedDrvOutput.write(to, it, context);
    storePath.write(to, it.outPath, context);
  },
};

const optionalRealisation = optional(unkeyedRealisation);
const hashedRealisations = listOf(hashedRealisation);

export const workerRealisationAnswer: WireCodec<WorkerRealisationAnswer> = {
  *read(from, context) {
    if (namesByPath(context)) {
      return { kind: 'keyed', realisation: yield* optionalRealisation.read(from, context) };
    }
    if (context.minor >= 31) {
      return { kind: 'hashed', realisations: yield* hashedRealisations.read(from, context) };
    }
    return { kind: 'paths', paths: yield* storePaths.read(from, context) };
  },
  write(to, it, context) {
    if (it.kind === 'keyed') {
      checkForm('keyed', context);
      optionalRealisation.write(to, it.realisation, context);
    } else if (it.kind === 'hashed' && context.minor >= 31) {
      checkForm('hashed', context);
      hashedRealisations.write(to, it.realisations, context);
    } else {
      checkForm('hashed', context);
      storePaths.write(
        to,
        it.kind === 'paths' ? it.paths : it.realisations.map(({ outPath }) => outPath),
        context,
      );
    }
  },
};

function namesByPath({ features }: WireContext): boolean {
  return features.has(realisationWithPath);
}

function checkForm(kind: 'keyed' | 'hashed', context: WireContext): void {
  if (namesByPath(context) === (kind === 'keyed')) return;
  const known = namesByPath(context) ? 'paths of derivations' : 'hashes of derivations';
  throw new NixCompatError(
    'unsupported-protocol',
    `the other side names realisations by ${known}; it cannot be asked or told about this one`,
  );
}
