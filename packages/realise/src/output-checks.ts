/**
 * What a derivation says that its outputs may be: what they may refer to, directly or with all that this refers to, and
 * how large they may be. Everything that an output can refer to is an input or another output.
 */
import { storePathSet } from '@neve/nix-compat';
import type { OutputChecks, Reference, StoreDirectory, StorePath } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import { RealiseError } from './realise-error.ts';
import type { ResolvedDerivation } from './resolved-derivation.ts';

export type CheckOutputsOptions = {
  readonly resolved: Pick<ResolvedDerivation, 'path' | 'options' | 'inputs'>;
  /** All outputs, by name and in the order of the names. */
  readonly outputs: ReadonlyMap<string, PathInfo>;
  readonly store: StoreDirectory;
};

/** Throws `RealiseError` (`output-check`). */
export function checkOutputs(options: CheckOutputsOptions): void {
  const { outputChecks } = options.resolved.options;
  for (const name of options.outputs.keys()) {
    const checks = outputChecks.kind === 'same' ? outputChecks.checks : outputChecks.checks.get(name);
    if (checks !== undefined) new OutputChecker(name, options).check(checks);
  }
}

class OutputChecker {
  readonly #name: string;
  readonly #options: CheckOutputsOptions;
  readonly #output: PathInfo;
  readonly #outputsByHashPart: ReadonlyMap<string, PathInfo>;

  constructor(name: string, options: CheckOutputsOptions) {
    const output = options.outputs.get(name);
    if (output === undefined) throw new Error(`there is no output '${name}' to check`);
    this.#name = name;
    this.#options = options;
    this.#output = output;
    this.#outputsByHashPart = new Map(
      Array.from(options.outputs.values(), (it) => [it.storePath.hashPart, it]),
    );
  }

  check(checks: OutputChecks): void {
    const { narSize, references } = this.#output;
    const shown = this.#shown(this.#output.storePath);
    if (checks.maxSize !== undefined && BigInt(narSize) > checks.maxSize) {
      throw failed(`path '${shown}' is too large at ${narSize} bytes; limit is ${checks.maxSize} bytes`);
    }
    if (checks.maxClosureSize !== undefined) {
      const size = this.#closure().reduce((sum, it) => sum + it.narSize, 0);
      if (BigInt(size) > checks.maxClosureSize) {
        throw failed(
          `closure of path '${shown}' is too large at ${size} bytes; limit is ${checks.maxClosureSize} bytes`,
        );
      }
    }
    const { allowedReferences, allowedRequisites, disallowedReferences, disallowedRequisites } = checks;
    const requisites = (): readonly StorePath[] => this.#requisites(checks);
    if (allowedReferences !== undefined) this.#allow(allowedReferences, references);
    if (allowedRequisites !== undefined) this.#allow(allowedRequisites, requisites());
    if (disallowedReferences.length > 0) this.#disallow(disallowedReferences, references);
    if (disallowedRequisites.length > 0) this.#disallow(disallowedRequisites, requisites());
  }

  #requisites({ ignoreSelfRefs }: OutputChecks): readonly StorePath[] {
    const own = this.#output.storePath.hashPart;
    return this.#closure()
      .map(({ storePath }) => storePath)
      .filter(({ hashPart }) => !ignoreSelfRefs || hashPart !== own);
  }

  #allow(allowed: readonly Reference[], used: readonly StorePath[]): void {
    const named = this.#named(allowed);
    this.#refuse(used.filter(({ hashPart }) => !named.has(hashPart)));
  }

  #disallow(disallowed: readonly Reference[], used: readonly StorePath[]): void {
    const named = this.#named(disallowed);
    this.#refuse(used.filter(({ hashPart }) => named.has(hashPart)));
  }

  #refuse(paths: readonly StorePath[]): void {
    if (paths.length === 0) return;
    const shown = storePathSet(paths).map((it) => `\n  ${this.#shown(it)}`);
    throw failed(
      `output '${this.#shown(this.#output.storePath)}' is not allowed to refer to the following paths:${shown.join('')}`,
    );
  }

  /** Hash parts of what a list names. */
  #named(references: readonly Reference[]): ReadonlySet<string> {
    return new Set(references.map((it) => this.#hashPartOf(it)));
  }

  #hashPartOf(reference: Reference): string {
    if (reference.kind === 'path') return reference.path.hashPart;
    const name = reference.kind === 'output' ? reference.output : reference.placeholder;
    const output = this.#options.outputs.get(name);
    if (output !== undefined) return output.storePath.hashPart;
    throw failed(
      `derivation '${this.#shown(this.#options.resolved.path)}' output check for '${this.#name}' ` +
        `contains output name '${name}', but this is not a valid output of this derivation. ` +
        `(Valid outputs are [${[...this.#options.outputs.keys()].join(', ')}].)`,
    );
  }

  /** The output and all that it refers to. */
  #closure(): readonly PathInfo[] {
    const found = new Map([[this.#output.storePath.hashPart, this.#output]]);
    // The map grows while it is walked.
    for (const pathInfo of found.values()) {
      for (const { hashPart, baseName } of pathInfo.references) {
        if (found.has(hashPart)) continue;
        const it = this.#outputsByHashPart.get(hashPart) ?? this.#options.resolved.inputs.get(hashPart);
        if (it === undefined) throw new RealiseError('not-found', `'${baseName}' is not among the inputs`);
        found.set(hashPart, it);
      }
    }
    return [...found.values()];
  }

  #shown(path: StorePath): string {
    return this.#options.store.print(path);
  }
}

function failed(message: string): RealiseError {
  return new RealiseError('output-check', message);
}
