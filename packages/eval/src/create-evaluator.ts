/** Starts a language core and hands out the evaluator around it. */
import { encodeUtf8 } from '@neve/bytes';
import { restrictAccess } from './access-control.ts';
import { Core } from './core.ts';
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
export function createEvaluator({
  core: module,
  io,
  settings: given,
  profiler,
  isInterruptible = false,
}: EvaluatorOptions): Evaluator {
  const settings: EvaluatorSettings = { ...defaultSettings, ...given };
  const core = new Core(module, {
    profiler: profiler && new CoreProfiler(profiler),
    maxHeapBytes: settings.maxHeapBytes,
    isInterruptible,
  });
  const { exports } = core;
  exports.configureEvaluation(
    settings.pureEval,
    settings.restrictEval,
    settings.writesStore,
    settings.traceVerbose,
  );
  exports.configureTraces(settings.showTrace);
  exports.configureHashing(io.hashBytes !== undefined);
  exports.configureFailures(!isInterruptible);
  if (profiler !== undefined) exports.configureProfiler();
  for (const feature of settings.experimentalFeatures) exports.enableFeature(core.write(encodeUtf8(feature)));
  exports.initialize();
  exports.configureStore(core.write(encodeUtf8(settings.storeDir)));
  exports.configureHome(core.write(encodeUtf8(settings.homeDirectory ?? '')));
  exports.configureLimits(settings.maxCallDepth, maximumStackBytes);
  exports.configureSyntax(
    settings.experimentalFeatures.has('pipe-operators'),
    settings.pureEval,
    lintLevels[settings.lintUrlLiterals ?? 'ignore'],
    lintLevels[settings.lintShortPathLiterals ?? 'ignore'],
    lintLevels[settings.lintAbsolutePathLiterals ?? 'ignore'],
  );
  defineConstants(core, settings);
  exports.finishInitialization();
  exports.configureMemory(
    settings.heapThresholdBytes ?? 0,
    Math.max(settings.maxHeapBytes ?? 0, settings.maxHeapBytes === undefined ? 0 : smallestMemoryBytes),
    settings.collectionInterval ?? 0,
  );
  return new CoreEvaluator(core, { io: visibleWorld(io, settings), settings, isInterruptible });
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
