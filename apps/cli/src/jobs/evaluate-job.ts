/**
 * What is at an attribute path, as nix-eval-jobs sees it: a derivation, which is a job; a set with more of them; or nothing
 * that could be built.
 *
 * A set is looked into when it is the whole value, when it says `recurseForDerivations = true`, or when all are to be.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Evaluator, Value } from '@neve/eval';
import { type JobPath, joinedPath } from './job-path.ts';
import { type PackageInfo, type PackageReader, failure } from './package-info.ts';

export type Job = PackageInfo & {
  /** Texts of JSON. */
  readonly meta: string | undefined;
  readonly extraValue: string | undefined;
  readonly constituents: Constituents | undefined;
};

/** What an aggregate of Hydra says that it consists of. */
export type Constituents = {
  /** Derivations. */
  readonly constituents: readonly string[];
  /** Names of jobs, or patterns for them. */
  readonly namedConstituents: readonly string[];
  readonly globConstituents: boolean;
};

export type JobReport =
  | { readonly kind: 'job'; readonly job: Job }
  /** Names of a set that is to be looked into, or none. */
  | { readonly kind: 'names'; readonly names: readonly string[] };

export type JobEvaluatorOptions = {
  readonly evaluator: Evaluator;
  readonly reader: PackageReader;
  readonly root: Value;
  /** For functions on the way. */
  readonly args: ReadonlyMap<string, Value>;
  readonly forceRecurse: boolean;
  readonly meta: boolean;
  readonly constituents: boolean;
  /** The text of a function. */
  readonly apply: string | undefined;
  /** What the text's relative paths are relative to. */
  readonly directory: string;
};

export class JobEvaluator {
  readonly #options: JobEvaluatorOptions;
  readonly #functions = new Map<string, Value>();
  /** The set that was looked into last: names come from it one after the other. */
  #parent: { readonly key: string; readonly value: Value } | undefined;

  constructor(options: JobEvaluatorOptions) {
    this.#options = options;
  }

  /** Throws what evaluation throws. */
  async evaluate(path: JobPath): Promise<JobReport> {
    const { reader } = this.#options;
    try {
      return await this.#evaluate(path);
    } finally {
      reader.release();
    }
  }

  async #evaluate(path: JobPath): Promise<JobReport> {
    const { evaluator, reader, args } = this.#options;
    const value = reader.own(await evaluator.autoCall(await this.#select(path), args));
    if (evaluator.describe(value).kind !== 'set') return { kind: 'names', names: [] };
    return (await reader.isDerivation(value))
      ? { kind: 'job', job: await this.#job(value, path) }
      : { kind: 'names', names: await this.#namesIn(value, path) };
  }

  async #select(path: JobPath): Promise<Value> {
    const name = path.at(-1);
    if (name === undefined) return this.#options.root;
    const parent = await this.#set(path.slice(0, -1));
    const attribute = await this.#options.reader.attribute(parent, name);
    if (attribute !== undefined) return attribute;
    throw failure(`attribute '${name}' in selection path '${joinedPath(path)}' not found`);
  }

  /** A set, its function called if it is made by one. */
  async #set(path: JobPath): Promise<Value> {
    const key = JSON.stringify(path);
    if (this.#parent?.key === key) return this.#parent.value;
    const { evaluator, args } = this.#options;
    const value = await evaluator.autoCall(await this.#select(path), args);
    if (this.#parent !== undefined) evaluator.release(this.#parent.value);
    this.#parent = { key, value };
    return value;
  }

  async #namesIn(value: Value, path: JobPath): Promise<readonly string[]> {
    const { evaluator, reader, forceRecurse } = this.#options;
    const isWanted =
      forceRecurse || ((await reader.flag(value, 'recurseForDerivations')) ?? path.length === 0);
    return isWanted ? evaluator.attributeNames(value) : [];
  }

  async #job(value: Value, path: JobPath): Promise<Job> {
    const { reader, constituents, apply, meta } = this.#options;
    const name = await reader.name(value);
    const itsConstituents = constituents ? await this.#constituents(value) : undefined;
    const extraValue = apply === undefined ? undefined : await this.#call(applied(apply), value);
    const outputs = await reader.outputs(value, joinedPath(path));
    const drvPath = await reader.drvPath(value);
    const system = await reader.system(value);
    const itsMeta = meta ? await this.#call(metaOf, value) : undefined;
    return { name, system, drvPath, outputs, meta: itsMeta, extraValue, constituents: itsConstituents };
  }

  async #constituents(value: Value): Promise<Constituents> {
    // The fields have these types.
    return JSON.parse(await this.#call(constituentsOf, value)) as Constituents;
  }

  /** What a function in Nix makes of a value, as JSON. */
  async #call(code: string, value: Value): Promise<string> {
    const { evaluator, reader, directory } = this.#options;
    let compiled = this.#functions.get(code);
    if (compiled === undefined) {
      const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(code), directory });
      compiled = await evaluator.evaluate(program);
      this.#functions.set(code, compiled);
    }
    const result = reader.own(await evaluator.autoCall(compiled, new Map([['value', value]])));
    return decodeUtf8(await evaluator.toJSON(result, { strict: true }));
  }
}

/** All but what has a part that is no text, number or truth value, or is a derivation; `null` without any. */
const metaOf = `
  { value }:
  let
    meta = value.meta or { };
    isPlain = it:
      if builtins.isList it then builtins.all isPlain it
      else if builtins.isAttrs it then !(it ? outPath) && builtins.all isPlain (builtins.attrValues it)
      else builtins.isInt it || builtins.isBool it || builtins.isString it || builtins.isFloat it;
    names = builtins.filter (name: isPlain meta.\${name}) (builtins.attrNames meta);
  in
  if names == [ ] then null
  else builtins.listToAttrs (map (name: { inherit name; value = meta.\${name}; }) names)`;

/** Text stands for itself in JSON, whatever store paths it mentions. */
const constituentsOf = `
  { value }:
  let
    isAggregate = value._hydraAggregate or false;
    context = builtins.getContext (toString value.constituents);
    ofDerivation = drvPath: map (_: drvPath) (context.\${drvPath}.outputs or [ ]);
  in
  if !isAggregate then { constituents = [ ]; namedConstituents = [ ]; globConstituents = false; }
  else if !(value ? constituents) then throw "derivation must have a 'constituents' attribute"
  else {
    constituents = builtins.concatMap ofDerivation (builtins.attrNames context);
    namedConstituents = map builtins.unsafeDiscardStringContext (builtins.filter builtins.isString value.constituents);
    globConstituents = value._hydraGlobConstituents or false;
  }`;

function applied(code: string): string {
  return `
  { value }:
  let result = (${code}
  ) value;
  in if builtins.isAttrs result then result else throw "apply needs to evaluate to an attrset"`;
}
