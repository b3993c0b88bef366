/**
 * What Nix gets to know of a derivation by looking at its value: the name, the system, the derivation's path, the outputs.
 * The attributes are asked for in Nix's order, and errors are those of Nix.
 */
import { decodeUtf8 } from '@neve/bytes';
import { EvaluationError, type Evaluator, type Value } from '@neve/eval';

export type PackageInfo = {
  readonly name: string;
  readonly system: string;
  readonly drvPath: string;
  /** By name; `null` where the path is known only after the build. */
  readonly outputs: Readonly<Record<string, string | null>>;
};

/** Reads packages, whose values are given up by `release`. */
export class PackageReader {
  readonly #evaluator: Evaluator;
  readonly #storePrefix: string;
  readonly #hasUnknownPaths: boolean;
  readonly #values: Value[] = [];

  constructor(
    evaluator: Evaluator,
    { storeDir, hasUnknownPaths }: { readonly storeDir: string; readonly hasUnknownPaths: boolean },
  ) {
    this.#evaluator = evaluator;
    this.#storePrefix = `${storeDir}/`;
    this.#hasUnknownPaths = hasUnknownPaths;
  }

  /** Gives up the values of all that was read. */
  release(): void {
    for (const value of this.#values) this.#evaluator.release(value);
    this.#values.length = 0;
  }

  /** A value that `release` gives up. */
  own(value: Value): Value {
    this.#values.push(value);
    return value;
  }

  /** An evaluated attribute. */
  async attribute(value: Value, name: string): Promise<Value | undefined> {
    const attribute = this.#evaluator.attribute(value, name);
    if (attribute === undefined) return undefined;
    this.own(attribute);
    return this.own(await this.#evaluator.force(attribute));
  }

  /** Of a value that is evaluated. */
  async isDerivation(value: Value): Promise<boolean> {
    const type = await this.attribute(value, 'type');
    return type !== undefined && this.#isString(type) && (await this.#text(type)) === 'derivation';
  }

  async name(value: Value): Promise<string> {
    const name = await this.textAttribute(value, 'name');
    if (name === undefined) throw failure('derivation name missing');
    return name;
  }

  async system(value: Value): Promise<string> {
    return (await this.textAttribute(value, 'system')) ?? 'unknown';
  }

  async drvPath(value: Value): Promise<string> {
    const drvPath = await this.attribute(value, 'drvPath');
    if (drvPath === undefined) throw failure("derivation does not contain a 'drvPath' attribute");
    const path = await this.#storePath(drvPath);
    if (path.endsWith('.drv')) return path;
    throw failure(
      `path '${path}' is not a valid store path of a derivation: its name does not end with .drv`,
    );
  }

  /** A string, or nothing where there is no attribute of the name. */
  async textAttribute(value: Value, name: string): Promise<string | undefined> {
    const attribute = await this.attribute(value, name);
    if (attribute === undefined) return undefined;
    this.#expect(attribute, 'string');
    return await this.#text(attribute);
  }

  /** A flag, or nothing where there is no attribute of the name. */
  async flag(value: Value, name: string): Promise<boolean | undefined> {
    const attribute = await this.attribute(value, name);
    if (attribute === undefined) return undefined;
    this.#expect(attribute, 'bool');
    return this.#evaluator.describe(attribute).text === 'true';
  }

  /** The outputs with their paths. `attr` says which package it is, in an error. */
  async outputs(value: Value, attr: string): Promise<Record<string, string | null>> {
    try {
      return await this.#outputs(value);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      throw failure(`derivation '${attr}' does not have valid outputs: ${error.message}`, error);
    }
  }

  /** The names of the outputs; nothing of them is evaluated. */
  async outputNames(value: Value): Promise<readonly string[]> {
    const list = await this.attribute(value, 'outputs');
    if (list === undefined) return ['out'];
    this.#expect(list, 'list');
    const names: string[] = [];
    for (const part of this.#evaluator.parts(list, { from: 0, count: Number.MAX_SAFE_INTEGER })) {
      const item = this.own(await this.#evaluator.force(this.own(part.value)));
      this.#expect(item, 'string');
      names.push(await this.#text(item));
    }
    return names;
  }

  async #outputs(value: Value): Promise<Record<string, string | null>> {
    if ((await this.attribute(value, 'outputs')) === undefined) {
      const outPath = await this.attribute(value, 'outPath');
      if (outPath === undefined) throw failure("derivation does not have attribute 'outPath'");
      return { out: await this.#outputPath(outPath) };
    }
    const outputs: Record<string, string | null> = {};
    for (const name of await this.outputNames(value)) {
      const output = await this.attribute(value, name);
      if (output === undefined) continue;
      this.#expect(output, 'set');
      const outPath = await this.attribute(output, 'outPath');
      if (outPath !== undefined) outputs[name] = await this.#outputPath(outPath);
    }
    return outputs;
  }

  async #outputPath(value: Value): Promise<string | null> {
    const text = await this.#text(value);
    // A placeholder for a path that follows from the contents.
    if (this.#hasUnknownPaths && !text.startsWith(this.#storePrefix)) return null;
    return await this.#storePath(value);
  }

  async #storePath(value: Value): Promise<string> {
    const text = await this.#text(value);
    if (text.startsWith(this.#storePrefix)) return text;
    throw failure(`path '${text}' is not in the Nix store`);
  }

  async #text(value: Value): Promise<string> {
    return decodeUtf8(await this.#evaluator.toRaw(value));
  }

  #isString(value: Value): boolean {
    return this.#evaluator.describe(value).kind === 'string';
  }

  #expect(value: Value, expected: 'string' | 'bool' | 'list' | 'set'): void {
    const { kind, text } = this.#evaluator.describe(value);
    if (kind === expected) return;
    const names = { string: 'a string', bool: 'a Boolean', list: 'a list', set: 'a set' };
    throw failure(`expected ${names[expected]} but found ${nameOf(kind)}${text === '' ? '' : `: ${text}`}`);
  }
}

function nameOf(kind: string): string {
  const names: Readonly<Record<string, string>> = {
    null: 'null',
    bool: 'a Boolean',
    int: 'an integer',
    float: 'a float',
    string: 'a string',
    path: 'a path',
    list: 'a list',
    set: 'a set',
    builtin: 'a built-in function',
  };
  return names[kind] ?? 'a function';
}

export function failure(message: string, cause?: unknown): EvaluationError {
  return new EvaluationError(
    { kind: 'error', message, traces: [], suggestions: [] },
    cause === undefined ? {} : { cause },
  );
}
