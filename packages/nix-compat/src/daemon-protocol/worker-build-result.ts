/** Build results as daemons send them. */
import type { BuildResult, BuiltOutput } from '../build-result.ts';
import type { DerivedPath } from '../derived-path.ts';
import { buildStatus, builtOutputs, hashedBuiltOutputs } from '../wire/build-result-codec.ts';
import { optional, record, since } from '../wire/compound-codecs.ts';
import { bool, size, text } from '../wire/primitive-codecs.ts';
import { type WireCodec, reading } from '../wire/wire-codec.ts';
import { derivedPath } from './worker-derived-path.ts';
import { realisationWithPath } from './worker-version.ts';

const outputs: WireCodec<ReadonlyMap<string, BuiltOutput>> = {
  read: (from, context) => outputsCodec(context.features).read(from, context),
  write: (to, value, context) => outputsCodec(context.features).write(to, value, context),
};

function outputsCodec(features: ReadonlySet<string>): WireCodec<ReadonlyMap<string, BuiltOutput>> {
  return features.has(realisationWithPath) ? builtOutputs : hashedBuiltOutputs;
}

export const workerBuildResult: WireCodec<BuildResult> = record<BuildResult>({
  status: buildStatus,
  errorMessage: text,
  timesBuilt: since(29, size, 0),
  isNonDeterministic: since(29, bool, false),
  startTime: since(29, size, 0),
  stopTime: since(29, size, 0),
  cpuUserMicroseconds: since(37, optional(size), undefined),
  cpuSystemMicroseconds: since(37, optional(size), undefined),
  builtOutputs: since(28, outputs, new Map()),
});

export type KeyedBuildResult = BuildResult & { readonly path: DerivedPath };

export const keyedBuildResult: WireCodec<KeyedBuildResult> = {
  *read(from, context) {
    const path = yield* reading('path', derivedPath.read(from, context));
    return { path, ...(yield* workerBuildResult.read(from, context)) };
  },
  write(to, result, context) {
    derivedPath.write(to, result.path, context);
    workerBuildResult.write(to, result, context);
  },
};
