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
  type Evaluator,
  type MessageLevel,
  type MessageSubject,
  type SearchPathEntry,
  type Source,
  type Value,
  coreHash,
  createEvaluator,
} from '@neve/eval';
import { type StoreIO, createFileSystemIO, createLazyStoreIO } from '@neve/eval-store/node';
import { wantsColour, write } from './output.ts';
import type { EvaluateArguments } from './parse-arguments.ts';
import { channels, parseSearchPath, parseSearchPathEntry } from './search-path.ts';
import type { Settings } from './settings.ts';

export type SessionOptions = {
  readonly args: EvaluateArguments;
  readonly settings: Settings;
  readonly storeAccess: StoreAccess;
};

/** What the store is to an evaluation. */
export type StoreAccess =
  /** Store paths are computed, and nothing is there. */
  | { readonly kind: 'computed' }
  /** A plain directory, which is written to. */
  | { readonly kind: 'directory' }
  /** The store that is realised in, opened when it is first needed. */
  | { readonly kind: 'realised'; readonly open: () => Promise<StoreIO> };

export function storeDirOf(args: EvaluateArguments): string {
  return absolute(args.last('storeDir') ?? process.env['NIX_STORE_DIR'] ?? '/nix/store');
}

export type EvaluationSession = {
  readonly evaluator: Evaluator;
  /** The store has heard of everything that evaluation has described when it is fulfilled. */
  readonly loadStore: () => Promise<void>;
};

export function startEvaluator({ args, settings, storeAccess }: SessionOptions): EvaluationSession {
  const storeDir = storeDirOf(args);
  const physicalStoreDir = args.last('physicalStoreDir');
  const pureEval = settings.isOn('pure-eval') && !args.has('impure');
  const core = loadCore();
  const files = createFileSystemIO({
    storeDir,
    physicalStoreDir: physicalStoreDir === undefined ? undefined : absolute(physicalStoreDir),
    readOnly: storeAccess.kind !== 'directory',
    environment: pureEval || settings.isOn('restrict-eval') ? {} : process.env,
    hashes: hashFunctions(core),
    onMessage: showMessage,
  });
  const lazy =
    storeAccess.kind === 'realised'
      ? createLazyStoreIO({ host: files, storeDir, load: storeAccess.open })
      : undefined;
  const evaluator = createEvaluator({
    core,
    io: lazy ?? files,
    settings: {
      storeDir,
      currentSystem: settings.text('eval-system') ?? settings.text('system') ?? hostSystem(),
      pureEval,
      restrictEval: settings.isOn('restrict-eval'),
      nixPath: searchPath(args, { settings, pureEval }),
      homeDirectory: process.env['HOME'] ?? process.getBuiltinModule('node:os').homedir(),
      currentDirectory: process.cwd(),
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
      heapThresholdBytes: numberFromEnvironment('NEVE_HEAP_THRESHOLD'),
    },
  });
  return { evaluator, loadStore: async () => await lazy?.load() };
}

/** The language core lies above the scripts; `NEVE_CORE` names another build of it. */
function loadCore(): WebAssembly.Module {
  const path = process.env['NEVE_CORE'] ?? join(__dirname, '../neve.wasm');
  return new WebAssembly.Module(readFileSync(path));
}

/** Loading `node:crypto` takes as long as hashing some MB in the core, which most evaluations never come near. */
function hashFunctions(core: WebAssembly.Module): HashFunctions {
  return hashesBySize({ small: coreHash(core), large: () => nodeHashes, largeBytes: 1 << 18 });
}

/** `x86_64-linux` and the like. */
export function hostSystem(): string {
  const architectures: Partial<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };
  return `${architectures[process.arch] ?? process.arch}-${process.platform}`;
}

/** As in Nix: none in pure mode; the channels come last, unless files are restricted to the search path. */
function searchPath(
  args: EvaluateArguments,
  context: { settings: Settings; pureEval: boolean },
): readonly SearchPathEntry[] {
  const { settings, pureEval } = context;
  if (pureEval) return [];
  const configured = settings.has('nix-path')
    ? settings.list('nix-path').map(parseSearchPathEntry)
    : parseSearchPath(process.env['NIX_PATH'] ?? '');
  return [
    ...args.all('include').map(parseSearchPathEntry),
    ...configured,
    ...(settings.isOn('restrict-eval') ? [] : channels(process.env)),
  ];
}

/**
 * A trace and a warning without a place are written as they are; what the program warns of is indented, unless it
 * begins with a line end.
 */
function showMessage(level: MessageLevel, text: Uint8Array, about: MessageSubject = {}): void {
  const { position, doing } = about;
  const colour = wantsColour();
  const message = decodeUtf8(text);
  const asItIs =
    position === undefined &&
    doing === undefined &&
    (level !== 'evaluation warning' || message.startsWith('\n'));
  if (level === 'trace' || asItIs) {
    const between = message.startsWith('\n') && level !== 'trace' ? '' : ' ';
    write(2, `${terminalText(`${level}:${between}${message}`, { colour })}\n`);
    return;
  }
  const traces = doing === undefined ? [] : [{ message: doing }];
  const diagnostic = { kind: level, message, position, traces, suggestions: [] };
  write(2, `${renderDiagnostic(diagnostic, { colour })}\n`);
}

/** The arguments for functions, by name; expressions are evaluated when they are needed. */
export async function functionArguments(
  evaluator: Evaluator,
  args: EvaluateArguments,
): Promise<ReadonlyMap<string, Value>> {
  const values = new Map<string, Value>();
  for (const { option, values: words } of args.occurrences) {
    const [name = '', text = ''] = words;
    if (option === 'arg') values.set(name, evaluator.delay(await evaluator.parse(sourceOfText(text))));
    if (option === 'argstr') values.set(name, evaluator.string(Buffer.from(text)));
    if (option === 'argFromFile') values.set(name, evaluator.string(readFileSync(text)));
    if (option === 'argFromStdin') values.set(name, evaluator.string(readFileSync(0)));
  }
  return values;
}

export function sourceOfText(text: string): Source {
  return { kind: 'string', text: Buffer.from(text), directory: process.cwd() };
}

/** `-` is standard input, `<…>` is looked up, everything else a path. */
export async function sourceOfFile(evaluator: Evaluator, name: string): Promise<Source> {
  if (name === '-') return { kind: 'stdin', text: readFileSync(0), directory: process.cwd() };
  const angle = /^<(.+)>$/.exec(name)?.[1];
  return { kind: 'file', path: angle === undefined ? absolute(name) : await evaluator.findFile(angle) };
}

/** A setting for those who work on Neve itself. */
function numberFromEnvironment(name: string): number | undefined {
  const text = process.env[name];
  return text === undefined ? undefined : Number(text);
}

function absolute(path: string): string {
  return resolve(path);
}
