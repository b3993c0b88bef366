/** Starts a language core and hands out the evaluator around it. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { restrictAccess } from './access-control.ts';
import { Core } from './core.ts';
import { type KeptImage, restoreImage } from './core-image.ts';
import { SharedTrees } from './shared-trees.ts';
import { CoreEvaluator } from './core-evaluator.ts';
import { CoreProfiler } from './profile/core-profiler.ts';
import type { EvalIO } from './eval-io.ts';
import {
  type Evaluator,
  type EvaluatorOptions,
  type EvaluatorSettings,
  defaultSettings,
} from './evaluator.ts';

/** The release of Nix whose language this is: `builtins.nixVersion`. */
const nixVersion = '2.35.2';
const languageVersion = 6;
/** With less nothing could be evaluated at all. */
const smallestMemoryBytes = 8 * 1024 * 1024;
const maximumStackBytes = 512 * 1024 * 1024;

/** An evaluator of its own memory. It lives as long as it, its programs and values are referred to. */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const core = newCore(options);
  initialize(core, { settings: settingsOf(options), isProfiled: options.profiler !== undefined });
  return evaluatorOf(core, options, { isResumed: false });
}

/**
 * The same, which goes on from an image: one of an evaluator with the same core, and settings of which `imageSettings` says the
 * same. From nothing, if that is damaged. Not together with a profiler. Throws what reading the image throws.
 */
export async function resumeEvaluator(options: EvaluatorOptions, kept: KeptImage): Promise<Evaluator> {
  const core = newCore(options);
  const isWhole = await restoreImage(core, kept);
  return isWhole ? evaluatorOf(core, options, { isResumed: true }) : createEvaluator(options);
}

function settingsOf({ settings }: EvaluatorOptions): EvaluatorSettings {
  return { ...defaultSettings, ...settings };
}

function newCore({ core, io, settings, profiler, isInterruptible, pause }: EvaluatorOptions): Core {
  return new Core(core, {
    profiler: profiler && new CoreProfiler(profiler),
    maxHeapBytes: settings?.maxHeapBytes,
    sha256: (bytes) => hashed(io, bytes),
    leavesOff: isInterruptible === true || pause !== undefined,
  });
}

function evaluatorOf(
  core: Core,
  options: EvaluatorOptions,
  { isResumed }: { readonly isResumed: boolean },
): Evaluator {
  const { io, isInterruptible = false, pause, images } = options;
  const settings = settingsOf(options);
  core.exports.configureHashing(io.hashBytes !== undefined);
  core.exports.configureImages(images !== undefined);
  core.exports.configureTraces(settings.showTrace);
  core.exports.configureFailures(!isInterruptible);
  core.exports.configureLimits(settings.maxCallDepth, maximumStackBytes);
  core.exports.configureMemory(
    settings.heapThresholdBytes ?? 0,
    Math.max(settings.maxHeapBytes ?? 0, settings.maxHeapBytes === undefined ? 0 : smallestMemoryBytes),
    settings.collectionInterval ?? 0,
  );
  const requests = images && {
    trees: new SharedTrees(core, io, (file) => images.beforeTree?.(decodeUtf8(file))),
    enterRegion: (region: 'own' | 'shared'): void => images.enterRegion?.(region),
  };
  return new CoreEvaluator(core, {
    ...{ io: visibleWorld(io, settings), settings, isInterruptible, pause },
    ...{ images: requests, isResumed },
  });
}

function hashed(io: EvalIO, bytes: Uint8Array): Uint8Array {
  if (io.hashBytes === undefined) throw new Error('a world without hashes was asked for one');
  return io.hashBytes(bytes, 'sha256');
}

type Beginning = {
  readonly settings: EvaluatorSettings;
  readonly isProfiled: boolean;
};

function initialize(core: Core, { settings, isProfiled }: Beginning): void {
  const { exports } = core;
  exports.configureEvaluation(
    settings.pureEval,
    settings.restrictEval,
    settings.writesStore,
    settings.traceVerbose,
  );
  if (isProfiled) exports.configureProfiler();
  for (const feature of settings.experimentalFeatures) exports.enableFeature(core.write(encodeUtf8(feature)));
  exports.initialize();
  exports.configureStore(core.write(encodeUtf8(settings.storeDir)));
  exports.configureHome(core.write(encodeUtf8(settings.homeDirectory ?? '')));
  exports.configureSyntax(
    settings.experimentalFeatures.has('pipe-operators'),
    settings.pureEval,
    lintLevels[settings.lintUrlLiterals ?? 'ignore'],
    lintLevels[settings.lintShortPathLiterals ?? 'ignore'],
    lintLevels[settings.lintAbsolutePathLiterals ?? 'ignore'],
  );
  defineConstants(core, settings);
  exports.finishInitialization();
}

/**
 * What an image depends on beside its core and what was read, as JSON: two evaluators can share one where this is the same.
 * The directory matters only to search paths that are relative to it.
 */
export function imageSettings(given: Partial<EvaluatorSettings>, io: EvalIO): string {
  const settings: EvaluatorSettings = { ...defaultSettings, ...given };
  const isRelative = settings.nixPath.some(({ path }) => !path.startsWith('/'));
  return JSON.stringify({
    language: nixVersion,
    hashes: io.hashBytes !== undefined,
    pureEval: settings.pureEval,
    restrictEval: settings.restrictEval,
    writesStore: settings.writesStore,
    traceVerbose: settings.traceVerbose,
    experimentalFeatures: [...settings.experimentalFeatures].toSorted(),
    storeDir: settings.storeDir,
    homeDirectory: settings.homeDirectory,
    currentSystem: settings.currentSystem,
    currentDirectory: isRelative ? settings.currentDirectory : undefined,
    nixPath: settings.nixPath.map(({ prefix, path }) => ({ prefix, path })),
    allowImportFromDerivation: settings.allowImportFromDerivation,
    lintUrlLiterals: settings.lintUrlLiterals,
    lintShortPathLiterals: settings.lintShortPathLiterals,
    lintAbsolutePathLiterals: settings.lintAbsolutePathLiterals,
  });
}

/** A pure or restricted evaluation sees what the search path names, and nothing else. */
function visibleWorld(io: EvalIO, settings: EvaluatorSettings): EvalIO {
  const { pureEval, restrictEval, nixPath, currentDirectory = '/' } = settings;
  if (!pureEval && !restrictEval) return io;
  const allowed = nixPath.map(({ path }) => (path.startsWith('/') ? path : `${currentDirectory}/${path}`));
  return restrictAccess(io, { mode: pureEval ? 'pure' : 'restricted', allowed });
}

const lintLevels = { ignore: 0, warn: 1, fatal: 2 } as const;

function defineConstants(core: Core, settings: EvaluatorSettings): void {
  const { exports } = core;
  const define = (name: string, value: number): void => {
    exports.defineBuiltin(core.write(encodeUtf8(name)), value);
  };
  const text = (value: string): number => core.newString(encodeUtf8(value));
  define('nixVersion', text(nixVersion));
  define('langVersion', exports.newInt(languageVersion));
  define('storeDir', text(settings.storeDir));
  define('nixPath', searchPathValue(core, settings));
  if (settings.pureEval) return;
  define('currentSystem', text(settings.currentSystem));
  exports.defineCurrentTime();
}

/** [ { path; prefix; } … ] */
function searchPathValue(core: Core, { nixPath }: EvaluatorSettings): number {
  const { exports } = core;
  const list = exports.newList(nixPath.length);
  for (const [index, { prefix, path }] of nixPath.entries()) {
    const prefixValue = core.newString(encodeUtf8(prefix));
    const pathValue = core.newString(encodeUtf8(path));
    const mark = exports.beginSet();
    exports.newAttr(core.write(encodeUtf8('prefix')), prefixValue);
    exports.newAttr(core.write(encodeUtf8('path')), pathValue);
    exports.setItem(list, index, exports.endSet(mark));
  }
  return list;
}
