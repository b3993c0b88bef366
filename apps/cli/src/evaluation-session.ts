/**
 * The composition root of an evaluation: from arguments, settings and the environment to an evaluator with its files,
 * its store and its search path.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type HashFunctions, decodeUtf8, hashesBySize } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { renderDiagnostic, terminalText } from '@neve/diagnostics';
import {
  type EvalIO,
  type Evaluator,
  type EvaluatorSettings,
  type ImageOptions,
  type KeptImage,
  type MessageLevel,
  type MessageSubject,
  type SearchPathEntry,
  type Source,
  type Value,
  coreHash,
  createEvaluator,
  engineHasWideMemories,
  narrowReach,
  resumeEvaluator,
} from '@neve/eval';
import {
  type DirectoryStoreIOOptions,
  type FileSystemIO,
  type StoreIO,
  createDirectoryStoreIO,
  createFileSystemIO,
  createLazyStoreIO,
} from '@neve/eval-store/node';
import { currentLogs, log } from '@neve/telemetry';
import type { Caller } from './caller.ts';
import { startProfiler } from './evaluation-profiler.ts';
import { hostSystem } from './host-system.ts';
import type { EvaluateArguments } from './parse-arguments.ts';
import { channels, parseSearchPath, parseSearchPathEntry } from './search-path.ts';
import type { Settings } from './settings.ts';
import { pauseForSignals } from './telemetry/signal-watch.ts';
import { tracedEvaluator } from './telemetry/traced-evaluator.ts';
import { withPatience } from './tiering-budget.ts';

export type SessionOptions = {
  readonly args: EvaluateArguments;
  readonly settings: Settings;
  readonly storeAccess: StoreAccess;
  readonly caller: Caller;
  /** Evaluations can be interrupted, what failed is tried again, and traces are whole. */
  readonly isInteractive?: boolean;
  /** The language core; without it, it is read from its file. */
  readonly core?: WebAssembly.Module | undefined;
  /** Puts something around the world that is evaluated in. */
  readonly around?: ((world: EvalIO, parts: WorldParts) => EvalIO) | undefined;
  /** Prepares an image. */
  readonly images?: ImageOptions | undefined;
  /** Goes on from an image. */
  readonly kept?: KeptImage | undefined;
  /** What the store has to hear of besides what this evaluation describes, and who else wants to hear of that. */
  readonly descriptions?: Pick<DirectoryStoreIOOptions, 'described' | 'onAdded' | 'onWritten'> | undefined;
  /** Is given the evaluator when it was made. */
  readonly onEvaluator?: ((evaluator: Evaluator) => void) | undefined;
};

/** What a world is made of. */
export type WorldParts = {
  readonly files: FileSystemIO;
  /** By the language core as long as there is little to hash. */
  readonly hashes: HashFunctions;
};

/** What the store is to an evaluation. */
export type StoreAccess =
  /** Store paths are computed, and nothing is there. */
  | { readonly kind: 'computed' }
  /** A plain directory, which is written to. */
  | { readonly kind: 'directory' }
  /** The store that is realised in, opened when it is first needed. */
  | { readonly kind: 'realised'; readonly open: () => Promise<StoreIO> };

export function storeDirOf(args: EvaluateArguments, { environment, directory }: Caller): string {
  return resolve(directory, args.last('storeDir') ?? environment['NIX_STORE_DIR'] ?? '/nix/store');
}

export type EvaluationSession = {
  readonly evaluator: Evaluator;
  /** The world as the evaluation sees it. */
  readonly io: EvalIO;
  /** The store has heard of everything that evaluation has described when it is fulfilled. */
  readonly loadStore: () => Promise<void>;
  /** In a plain directory these objects are there, and what they refer to, when it returns. */
  readonly write: (storePaths: readonly string[]) => void;
  /** Writes the profile, if there is to be one. */
  readonly finishProfile: () => void;
};

export async function startEvaluator({
  args,
  settings,
  storeAccess,
  caller,
  isInteractive = false,
  images,
  kept,
  core = kept === undefined ? loadCore(settings) : withPatience(() => loadCore(settings)),
  around = (world) => world,
  descriptions,
  onEvaluator,
}: SessionOptions): Promise<EvaluationSession> {
  const storeDir = storeDirOf(args, caller);
  const options = { args, settings, storeAccess, caller };
  const hashes = hashFunctions(core);
  const files = hostFiles({ ...options, hashes });
  const lazy =
    storeAccess.kind === 'realised'
      ? createLazyStoreIO({ host: files, storeDir, load: storeAccess.open, ...descriptions })
      : undefined;
  const directory =
    storeAccess.kind === 'directory' && descriptions !== undefined
      ? createDirectoryStoreIO({ host: files, storeDir, ...descriptions })
      : undefined;
  const profiler = startProfiler(settings, caller);
  const io = lazy ?? directory ?? files;
  const evaluatorOptions = {
    core,
    isInterruptible: isInteractive,
    pause: isInteractive ? undefined : pauseForSignals(),
    profiler: profiler?.options,
    io: around(io, { files, hashes }),
    settings: {
      ...evaluatorSettings(options),
      ...(isInteractive && { showTrace: true }),
    },
    images,
  };
  const evaluator =
    kept === undefined ? createEvaluator(evaluatorOptions) : await resumeEvaluator(evaluatorOptions, kept);
  onEvaluator?.(evaluator);
  return {
    evaluator: tracedEvaluator(evaluator),
    io,
    loadStore: async () => await lazy?.load(),
    write: (storePaths) => directory?.write(storePaths),
    finishProfile: () => profiler?.finish(evaluator),
  };
}

/** What decides how is evaluated, besides what is. */
export type SessionSettings = Pick<SessionOptions, 'args' | 'settings' | 'storeAccess' | 'caller'>;

export function evaluatorSettings({
  args,
  settings,
  storeAccess,
  caller,
}: SessionSettings): Partial<EvaluatorSettings> {
  const { environment, directory } = caller;
  const pureEval = isPure({ args, settings });
  return {
    storeDir: storeDirOf(args, caller),
    currentSystem: settings.text('eval-system') ?? settings.text('system') ?? hostSystem(),
    pureEval,
    restrictEval: settings.isOn('restrict-eval'),
    nixPath: searchPath(args, { settings, pureEval, caller }),
    homeDirectory: environment['HOME'] ?? process.getBuiltinModule('node:os').homedir(),
    currentDirectory: directory,
    experimentalFeatures: new Set(settings.list('experimental-features')),
    maxCallDepth: settings.number('max-call-depth') ?? 10_000,
    traceVerbose: settings.isOn('trace-verbose'),
    lintUrlLiterals: settings.lint('lint-url-literals'),
    lintShortPathLiterals: settings.lint('lint-short-path-literals'),
    lintAbsolutePathLiterals: settings.lint('lint-absolute-path-literals'),
    abortOnWarn: settings.isOn('abort-on-warn'),
    showTrace: settings.isOn('show-trace'),
    writesStore: storeAccess.kind !== 'computed',
    allowImportFromDerivation: settings.has('allow-import-from-derivation')
      ? settings.isOn('allow-import-from-derivation')
      : true,
    maxHeapBytes: settings.size('max-heap-size'),
    heapThresholdBytes: numberOf(environment['NEVE_HEAP_THRESHOLD']),
    collectionInterval: numberOf(environment['NEVE_COLLECTION_INTERVAL']),
  };
}

/** The files of the machine, and a directory as the store. */
export function hostFiles({
  args,
  settings,
  storeAccess,
  caller,
  hashes,
}: SessionSettings & { readonly hashes?: HashFunctions }): FileSystemIO {
  return createFileSystemIO({
    storeDir: storeDirOf(args, caller),
    physicalStoreDir: physicalStoreDirOf(args, caller),
    readOnly: storeAccess.kind !== 'directory',
    environment: isPure({ args, settings }) || settings.isOn('restrict-eval') ? {} : caller.environment,
    ...(hashes !== undefined && { hashes }),
    onMessage: (level, text, about) => showMessage(caller, level, text, about),
  });
}

export function physicalStoreDirOf(args: EvaluateArguments, { directory }: Caller): string | undefined {
  const given = args.last('physicalStoreDir');
  return given === undefined ? undefined : resolve(directory, given);
}

function isPure({ args, settings }: Pick<SessionSettings, 'args' | 'settings'>): boolean {
  return settings.isOn('pure-eval') && !args.has('impure');
}

/**
 * The language core, for as much memory as the settings allow. Its builds lie above the scripts; `NEVE_CORE` names another one.
 */
export function loadCore(settings: Settings): WebAssembly.Module {
  const path = process.env['NEVE_CORE'] ?? join(__dirname, '..', coreFile(settings));
  return new WebAssembly.Module(readFileSync(path));
}

/** The build of the language core that evaluates with these settings. */
export function coreFile(settings: Settings): string {
  const isWide = (settings.size('max-heap-size') ?? 0) > narrowReach && engineHasWideMemories();
  return isWide ? 'neve64.wasm' : 'neve.wasm';
}

/** Loading `node:crypto` takes as long as hashing some MB in the core, which most evaluations never come near. */
function hashFunctions(core: WebAssembly.Module): HashFunctions {
  return hashesBySize({ small: coreHash(core), large: () => nodeHashes, largeBytes: 1 << 18 });
}

/** As in Nix: none in pure mode; the channels come last, unless files are restricted to the search path. */
function searchPath(
  args: EvaluateArguments,
  context: { readonly settings: Settings; readonly pureEval: boolean; readonly caller: Caller },
): readonly SearchPathEntry[] {
  const { settings, pureEval } = context;
  const { environment } = context.caller;
  if (pureEval) return [];
  const configured = settings.has('nix-path')
    ? settings.list('nix-path').map(parseSearchPathEntry)
    : parseSearchPath(environment['NIX_PATH'] ?? '');
  return [
    ...args.all('include').map(parseSearchPathEntry),
    ...configured,
    ...(settings.isOn('restrict-eval') ? [] : channels(environment)),
  ];
}

/**
 * A trace and a warning without a place are written as they are; what the program warns of is indented, unless it
 * begins with a line end.
 */
// oxlint-disable-next-line eslint/max-params -- to whom, and what `EvalIO` says
function showMessage(
  caller: Caller,
  level: MessageLevel,
  text: Uint8Array,
  about: MessageSubject = {},
): void {
  if (currentLogs() !== undefined) log(level === 'trace' ? 'info' : 'warning', decodeUtf8(text));
  const { position, doing } = about;
  const colour = caller.wantsColour();
  const message = decodeUtf8(text);
  const asItIs =
    position === undefined &&
    doing === undefined &&
    (level !== 'evaluation warning' || message.startsWith('\n'));
  if (level === 'trace' || asItIs) {
    const between = message.startsWith('\n') && level !== 'trace' ? '' : ' ';
    caller.write(2, `${terminalText(`${level}:${between}${message}`, { colour })}\n`);
    return;
  }
  const traces = doing === undefined ? [] : [{ message: doing }];
  const diagnostic = { kind: level, message, position, traces, suggestions: [] };
  caller.write(2, `${renderDiagnostic(diagnostic, { colour, link: caller.sourceLink })}\n`);
}

/** The arguments for functions, by name; expressions are evaluated when they are needed. */
export async function functionArguments(
  evaluator: Evaluator,
  { args, caller }: { readonly args: EvaluateArguments; readonly caller: Caller },
): Promise<ReadonlyMap<string, Value>> {
  const values = new Map<string, Value>();
  for (const { option, values: words } of args.occurrences) {
    const [name = '', text = ''] = words;
    if (option === 'arg')
      values.set(name, evaluator.delay(await evaluator.parse(sourceOfText(text, caller))));
    if (option === 'argstr') values.set(name, evaluator.string(Buffer.from(text)));
    if (option === 'argFromFile')
      values.set(name, evaluator.string(readFileSync(resolve(caller.directory, text))));
    if (option === 'argFromStdin') values.set(name, evaluator.string(caller.readStandardInput()));
  }
  return values;
}

export function sourceOfText(text: string, { directory }: Caller): Source {
  return { kind: 'string', text: Buffer.from(text), directory };
}

/** `-` is standard input, `<…>` is looked up, everything else a path. */
// oxlint-disable-next-line eslint/max-params -- an evaluator, a name, and who says it
export async function sourceOfFile(evaluator: Evaluator, name: string, caller: Caller): Promise<Source> {
  const { directory } = caller;
  if (name === '-') return { kind: 'stdin', text: caller.readStandardInput(), directory };
  const angle = /^<(.+)>$/.exec(name)?.[1];
  return {
    kind: 'file',
    path: angle === undefined ? resolve(directory, name) : await evaluator.findFile(angle),
  };
}

/** A setting for those who work on Neve itself. */
function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
