/** The settings that a client sends after the greeting. Four fields mean nothing any more. */
import { mapOf, since } from '../wire/compound-codecs.ts';
import { text } from '../wire/primitive-codecs.ts';
import { type WireCodec, reading } from '../wire/wire-codec.ts';
import type { Verbosity } from './log-frames.ts';

export type ClientOptions = {
  readonly keepFailed: boolean;
  readonly keepGoing: boolean;
  readonly tryFallback: boolean;
  readonly verbosity: Verbosity;
  readonly maxBuildJobs: number;
  /** In seconds; 0 for no limit. */
  readonly maxSilentTime: number;
  /** Whether logs of builds are shown. */
  readonly verboseBuild: boolean;
  /** 0 for all. */
  readonly buildCores: number;
  readonly useSubstitutes: boolean;
  /** Other settings by name. */
  readonly overrides: ReadonlyMap<string, string>;
};

const overrides: WireCodec<ReadonlyMap<string, string>> = since(12, mapOf(text, text), new Map());

/** What stands for a log that is shown, and for one that is not. */
const shown = 0;
const hidden = 7;

const max = 0xffff_ffff;

export const clientOptions: WireCodec<ClientOptions> = {
  *read(from, context) {
    const keepFailed = (yield* from.readNumber(max)) !== 0;
    const keepGoing = (yield* from.readNumber(max)) !== 0;
    const tryFallback = (yield* from.readNumber(max)) !== 0;
    const verbosity = yield* from.readNumber(max);
    const maxBuildJobs = yield* from.readNumber(max);
    const maxSilentTime = yield* from.readNumber(max);
    yield* from.readNumber(max);
    const verboseBuild = (yield* from.readNumber(max)) === shown;
    yield* from.readNumber(max);
    yield* from.readNumber(max);
    const buildCores = yield* from.readNumber(max);
    const useSubstitutes = (yield* from.readNumber(max)) !== 0;
    return {
      keepFailed,
      keepGoing,
      tryFallback,
      verbosity,
      maxBuildJobs,
      maxSilentTime,
      verboseBuild,
      buildCores,
      useSubstitutes,
      overrides: yield* reading('overrides', overrides.read(from, context)),
    };
  },
  write(to, options, context) {
    to.bool(options.keepFailed);
    to.bool(options.keepGoing);
    to.bool(options.tryFallback);
    to.number(options.verbosity);
    to.number(options.maxBuildJobs);
    to.number(options.maxSilentTime);
    to.number(1);
    to.number(options.verboseBuild ? shown : hidden);
    to.number(0);
    to.number(0);
    to.number(options.buildCores);
    to.bool(options.useSubstitutes);
    overrides.write(to, options.overrides, context);
  },
};
