/**
 * The variables of a prompt: a set of the evaluator that grows. Each line is compiled in the scope as it is then, so that what
 * was defined keeps meaning what it meant when a name is defined again, as in Nix.
 */
import { EvaluationError, type Evaluator, type Program, type Value } from '@neve/eval';

export class ReplScope {
  readonly #evaluator: Evaluator;
  readonly #directory: string;
  readonly #functions = new Map<string, Value>();
  #value: Value;
  #names: readonly string[] | undefined;

  private constructor(evaluator: Evaluator, { directory, empty }: { directory: string; empty: Value }) {
    this.#evaluator = evaluator;
    this.#directory = directory;
    this.#value = empty;
  }

  /** Relative paths of what is typed begin at `directory`. */
  static async create(evaluator: Evaluator, directory: string): Promise<ReplScope> {
    const program = await evaluator.parse({ kind: 'string', text: '{ }', directory });
    return new ReplScope(evaluator, { directory, empty: await evaluator.evaluate(program) });
  }

  /** Throws `EvaluationError` for what is no Nix, or names no variable. */
  async parse(text: string, form: 'expression' | 'bindings'): Promise<Program> {
    const source = { kind: 'string', text: Buffer.from(text), directory: this.#directory } as const;
    return await this.#evaluator.parseIn(source, { scope: this.#value, form });
  }

  /** Makes bindings variables. */
  async define(bindings: Program): Promise<void> {
    await this.#merge(await this.#evaluator.evaluate(bindings));
  }

  /** Adds the attributes of a set, which win over what is there. Gives their names in order. */
  async add(set: Value): Promise<readonly string[]> {
    const names = await this.attributeNames(await this.#asSet(set));
    await this.#merge(set);
    return names;
  }

  /** The names of all variables but the builtins. */
  async names(): Promise<readonly string[]> {
    this.#names ??= await this.attributeNames(this.#value);
    return this.#names;
  }

  async attributeNames(set: Value): Promise<readonly string[]> {
    const names = await this.call('{ set }: builtins.attrNames set', new Map([['set', set]]));
    const json = Buffer.from(await this.#evaluator.toJSON(names, { strict: true })).toString();
    this.#evaluator.release(names);
    // It is a list of strings.
    return JSON.parse(json) as string[];
  }

  /** Calls a function with a pattern, given as its text. */
  async call(text: string, args: ReadonlyMap<string, Value>): Promise<Value> {
    const known = this.#functions.get(text);
    if (known !== undefined) return await this.#evaluator.autoCall(known, args);
    const source = { kind: 'string', text, directory: '/' } as const;
    const called = await this.#evaluator.evaluate(await this.#evaluator.parse(source));
    this.#functions.set(text, called);
    return await this.#evaluator.autoCall(called, args);
  }

  async #merge(added: Value): Promise<void> {
    const operands = new Map([
      ['scope', this.#value],
      ['added', added],
    ]);
    this.#value = await this.call('{ scope, added }: scope // added', operands);
    this.#names = undefined;
  }

  async #asSet(value: Value): Promise<Value> {
    try {
      const forced = await this.#evaluator.force(value);
      if (this.#evaluator.describe(forced).kind === 'set') return forced;
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      throw merging(error, error.diagnostic.traces);
    }
    try {
      // Says what it is instead.
      return await this.call('{ value }: value // { }', new Map([['value', value]]));
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      const position = this.#evaluator.functionSource(await this.#evaluator.force(value))?.position;
      throw merging(error, [], position);
    }
  }
}

type Diagnostic = EvaluationError['diagnostic'];

// oxlint-disable-next-line eslint/max-params -- what, within what, and where
function merging(
  { diagnostic }: EvaluationError,
  traces: Diagnostic['traces'],
  position?: Diagnostic['position'],
): EvaluationError {
  const message = 'while evaluating an attribute set to be merged in the global scope';
  const outermost = position === undefined ? { message } : { message, position };
  const isTypeError = traces.length === 0;
  return new EvaluationError({
    ...diagnostic,
    ...(isTypeError && { position: undefined }),
    traces: [outermost, ...traces],
  });
}
