/**
 * The packages in a value, each with its attribute path, in the order of names: as `nix-env` finds them, or `nix search`.
 *
 * Sets in others are gone into where they ask for it, lists only in lists. What fails in a way that a program may expect (`throw`, `assert`)
 * is left out; any other failure is told, and the rest goes on.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { EvaluationError, type Evaluator, type Value } from '@neve/eval';
import type { PackageReader } from './package-info.ts';

export type FoundPackage = { readonly attrPath: string; readonly value: Value };

export type FindOptions = {
  readonly evaluator: Evaluator;
  readonly reader: PackageReader;
  readonly args: ReadonlyMap<string, Value>;
  /** A package that several attributes stand for comes once, at the first of them. */
  readonly once: boolean;
  /** Only names that attribute paths have without quotes. */
  readonly plainNames: boolean;
  /** Whether a set is gone into that does not ask for it. */
  readonly enters: (attrPath: string) => boolean;
  /** Is told what could not be looked at. */
  readonly onFailure: (error: EvaluationError) => void;
};

/** Names that attribute paths have without quotes. */
const plainName = /^[A-Za-z_][A-Za-z0-9\-_+]*$/;

export class PackageFinder {
  readonly #options: FindOptions;
  readonly #done: { add(value: Value): boolean };

  constructor(options: FindOptions) {
    this.#options = options;
    this.#done = options.evaluator.distinctValues();
  }

  /** Throws what evaluating the value itself throws. */
  async *find(value: Value, attrPath: string): AsyncGenerator<FoundPackage, void, void> {
    const { evaluator, args } = this.#options;
    const called = await evaluator.autoCall(value, args);
    if (await this.#isPackage(called)) {
      if (this.#isNew(called)) yield { attrPath, value: called };
      return;
    }
    const { kind } = evaluator.describe(called);
    if (kind !== 'set' && kind !== 'list') {
      const message = 'expression does not evaluate to a derivation (or a set or list of those)';
      throw new EvaluationError({ kind: 'error', message, traces: [], suggestions: [] });
    }
    yield* this.#inside(called, attrPath, kind);
    evaluator.release(called);
  }

  /** Whether the failure is one that programs expect; it is told otherwise. */
  async tolerates(error: unknown, value: Value): Promise<boolean> {
    if (!(error instanceof EvaluationError)) return false;
    if (!(await this.#isExpected(value))) this.#options.onFailure(error);
    return true;
  }

  // oxlint-disable-next-line eslint/max-params -- what, where, and what it is
  async *#inside(
    container: Value,
    attrPath: string,
    kind: 'set' | 'list',
  ): AsyncGenerator<FoundPackage, void, void> {
    const { evaluator, plainNames } = this.#options;
    const count = evaluator.describe(container).size;
    for (let index = 0; index < count; index += 1) {
      const [part] = evaluator.parts(container, { from: index, count: 1 });
      if (part === undefined) continue;
      const name = part.name ?? String(index);
      if (!plainNames || kind === 'list' || plainName.test(name)) {
        const path = attrPath === '' ? name : `${attrPath}.${name}`;
        yield* this.#part(part.value, { attrPath: path, inList: kind === 'list' });
      }
      evaluator.release(part.value);
    }
  }

  async *#part(
    part: Value,
    { attrPath, inList }: { readonly attrPath: string; readonly inList: boolean },
  ): AsyncGenerator<FoundPackage, void, void> {
    const { evaluator, reader } = this.#options;
    let value: Value | undefined;
    let goesOn = false;
    try {
      value = await evaluator.force(part);
      if (await this.#isPackage(value)) {
        if (this.#isNew(value)) yield { attrPath, value };
      } else {
        goesOn = inList || (await this.#asks(value, attrPath));
      }
    } catch (error) {
      if (!(await this.tolerates(error, part))) throw error;
    } finally {
      reader.release();
    }
    if (goesOn && value !== undefined) yield* this.find(value, attrPath);
    if (value !== undefined) evaluator.release(value);
  }

  async #isPackage(value: Value): Promise<boolean> {
    const { evaluator, reader } = this.#options;
    return evaluator.describe(value).kind === 'set' && (await reader.isDerivation(value));
  }

  async #asks(value: Value, attrPath: string): Promise<boolean> {
    const { evaluator, reader, enters } = this.#options;
    if (evaluator.describe(value).kind !== 'set') return false;
    return enters(attrPath) || (await reader.flag(value, 'recurseForDerivations')) === true;
  }

  #isNew(value: Value): boolean {
    return !this.#options.once || this.#done.add(value);
  }

  async #isExpected(value: Value): Promise<boolean> {
    const { evaluator, reader } = this.#options;
    try {
      const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(expected), directory: '/' });
      const answer = await evaluator.autoCall(await evaluator.evaluate(program), new Map([['value', value]]));
      return decodeUtf8(await evaluator.toJSON(reader.own(answer), { strict: true })) === 'false';
    } catch (error) {
      if (error instanceof EvaluationError) return false;
      throw error;
    }
  }
}

/** Whether all that was looked at can be evaluated; what no program can expect fails here too. */
const expected = `
  { value }:
  (builtins.tryEval (
    if !builtins.isAttrs value then true
    else builtins.seq (value.type or null) (builtins.seq (value.recurseForDerivations or null) (
      if value.type or null != "derivation" then true
      else builtins.deepSeq [
        (value.name or null) (value.system or null) (value.drvPath or null)
        (map (name: value.\${name}.outPath or null) (value.outputs or [ ]))
        (value.meta.description or null)
      ] true
    ))
  )).success`;
