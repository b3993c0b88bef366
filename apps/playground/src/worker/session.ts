/** One evaluation in the worker: an evaluator of its own over the files, and the values that the page looks at. */
import { decodeUtf8 } from '@neve/bytes';
import { type Diagnostic, type Position, renderDiagnostic } from '@neve/diagnostics';
import {
  EvaluationError,
  type Evaluator,
  type EvaluatorSettings,
  type MessageLevel,
  type MessageSubject,
  type ProfilerOptions,
  type Value,
  createEvaluator,
} from '@neve/eval';
import type {
  Effects,
  EvaluateRequest,
  Evaluation,
  Files,
  Forced,
  NamedValue,
  Outline,
  Phase,
  Place,
  Problem,
  Profile,
  ValueView,
} from '../protocol.ts';
import { describeDerivation } from './describe-derivation.ts';
import { flameTree } from './flame-tree.ts';
import { type Engine, type ProjectWorld, projectFolder, projectWorld, storeFolder } from './project-world.ts';

/** What the playground is asked with, and the command in its tests. */
export const settings: Partial<EvaluatorSettings> = {
  storeDir: storeFolder,
  currentDirectory: projectFolder,
  experimentalFeatures: new Set(['pipe-operators', 'ca-derivations']),
  showTrace: true,
  writesStore: true,
};

const maximumPrinted = 10_000;

export class Session {
  readonly #evaluator: Evaluator;
  readonly #world: ProjectWorld;
  readonly #messages: Problem[] = [];

  constructor(engine: Engine, files: Files, profiler?: ProfilerOptions) {
    this.#world = projectWorld(engine, {
      files,
      onMessage: (level, text, about) => this.#messages.push(messageProblem(level, text, about)),
    });
    this.#evaluator = createEvaluator({ core: engine.core, io: this.#world.io, settings, profiler });
  }

  async evaluate({ main, strict }: Omit<EvaluateRequest, 'kind' | 'files'>): Promise<Evaluation> {
    const phases: Phase[] = [];
    const during = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const started = performance.now();
      try {
        return await work();
      } finally {
        phases.push({ name, milliseconds: performance.now() - started });
      }
    };
    let printed: string | undefined;
    const forced = await this.#attempt(async () => {
      const evaluator = this.#evaluator;
      const source = { kind: 'file', path: `${projectFolder}/${main}` } as const;
      const program = await during('Parse and compile', async () => await evaluator.parse(source));
      const value = await during('Evaluate', async () => await evaluator.evaluate(program));
      if (strict) await during('Evaluate everything inside', async () => await evaluator.forceDeep(value));
      printed = decodeUtf8(await during('Print', async () => await evaluator.print(value)));
      return value;
    });
    return {
      ...forced,
      printed: printed?.slice(0, maximumPrinted),
      phases,
      counters: numbersIn(this.#evaluator.stats()),
    };
  }

  async force(handle: number): Promise<Forced> {
    return await this.#attempt(async () => await this.#evaluator.force({ handle }));
  }

  /** What the profiler has seen; the session was made with one. */
  profile(): Profile {
    const profile = this.#evaluator.profile();
    if (profile === undefined) throw new Error('this session has no profiler');
    return flameTree(profile);
  }

  parts(handle: number, range: { from: number; count: number }): NamedValue[] {
    return this.#evaluator
      .parts({ handle }, range)
      .map(({ name, value }) => ({ name, value: this.#view(value) }));
  }

  async outline(main: string): Promise<Outline> {
    try {
      return await this.#evaluator.outline({ kind: 'file', path: `${projectFolder}/${main}` });
    } catch (error) {
      return { problem: problemOf(error) };
    }
  }

  async #attempt(work: () => Promise<Value>): Promise<Forced> {
    try {
      const value = await work();
      return { value: this.#view(value), effects: this.#effects() };
    } catch (error) {
      return { problem: problemOf(error), effects: this.#effects() };
    }
  }

  #view(value: Value): ValueView {
    return { handle: value.handle, ...this.#evaluator.describe(value) };
  }

  #effects(): Effects {
    const { store } = this.#world;
    const derivations = Array.from(this.#world.derivations, ([path, contents]) =>
      describeDerivation(path, contents, store),
    );
    return { derivations, messages: this.#messages };
  }
}

/** Counters by their names in `NIX_SHOW_STATS`, the nested ones with a dot. */
function numbersIn(stats: Readonly<Record<string, unknown>>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of Object.entries(stats)) {
    if (typeof value === 'number') found[name] = value;
    else if (typeof value === 'object' && value !== null) {
      for (const [inner, number] of Object.entries(value)) {
        if (typeof number === 'number') found[`${name}.${inner}`] = number;
      }
    }
  }
  return found;
}

/** Throws what is no failure of the program. */
function problemOf(error: unknown): Problem {
  if (!(error instanceof EvaluationError)) throw error;
  return diagnosticProblem(error.diagnostic);
}

function diagnosticProblem(diagnostic: Diagnostic): Problem {
  return {
    severity: diagnostic.kind === 'error' ? 'error' : 'warning',
    message: diagnostic.message,
    rendered: withoutFolder(renderDiagnostic(diagnostic, { colour: false, showTrace: true })),
    place: placeOf(diagnostic.position),
    traces: diagnostic.traces.map(({ message, position }) => ({ message, place: placeOf(position) })),
  };
}

function messageProblem(level: MessageLevel, text: Uint8Array, about: MessageSubject | undefined): Problem {
  const message = decodeUtf8(text);
  const severity = level === 'trace' ? 'trace' : 'warning';
  const rendered = severity === 'trace' ? `trace: ${message}` : `${level}: ${message}`;
  return { severity, message, rendered, place: placeOf(about?.position), traces: [] };
}

function placeOf(position: Position | undefined): Place | undefined {
  if (position?.origin.kind !== 'file' || position.line === 0) return undefined;
  const { path } = position.origin;
  if (!path.startsWith(`${projectFolder}/`)) return undefined;
  return { file: path.slice(projectFolder.length + 1), line: position.line, column: position.column };
}

/** The folder is nothing that anybody has chosen. */
function withoutFolder(text: string): string {
  return text.replaceAll(`${projectFolder}/`, '');
}
