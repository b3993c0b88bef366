/**
 * From what a build made to path infos: references from what was found, paths by contents where they follow from these,
 * and all checks. Nothing is put before everything is checked, with one exception: a fixed output with a wrong hash is
 * kept under the path that it truly has, so that it need not be made again when the hash is mended.
 *
 * An output whose path follows from its contents gets it here. Outputs are gone through from those that refer to no others
 * on; when the turn of one comes, the paths that it mentions of others are known. Its own path is rewritten last, after it
 * was hashed as if it did not mention it.
 */
import { decodeUtf8 } from '@neve/bytes';
import type { Digest } from '@neve/bytes';
import type { BuildOutput, BuildResult } from '@neve/build';
import type { Node } from '@neve/castore';
import { NixCompatError, contentAddressedPath, outputPathName, storePathSet } from '@neve/nix-compat';
import type { ContentAddress, DerivationOutput, StorePath } from '@neve/nix-compat';
import { narCalculationByRendering } from '@neve/store';
import type { NarCalculation, NarCalculationService, PathInfo, StoreServices } from '@neve/store';
import { contentDigest } from './content-digest.ts';
import { checkOutputs } from './output-checks.ts';
import { sortOutputs } from './output-order.ts';
import { RealiseError } from './realise-error.ts';
import type { Realisations } from './realisations.ts';
import type { ResolvedDerivation, StoreContext } from './resolved-derivation.ts';
import { rewriteNode } from './rewrite-node.ts';

export type RegisterServices = StoreServices &
  StoreContext & {
    /** Computes NARs; by rendering them unless given. */
    readonly narCalculation?: NarCalculationService;
    /** Where outputs are remembered whose paths follow from their contents. */
    readonly realisations?: Realisations;
    /** Whether the offsets of self-references are hashed, as all Nix but 2.17 to 2.34 do; unless given they are. */
    readonly hashesOffsets?: boolean;
  };

export type BuiltDerivation = {
  readonly resolved: ResolvedDerivation;
  /** As `DerivationRequest`. */
  readonly outputs: ReadonlyMap<string, StorePath>;
  readonly needles: readonly StorePath[];
  readonly result: BuildResult;
  /** NARs that were computed while outputs were imported. */
  readonly nars?: ReadonlyMap<string, NarCalculation> | undefined;
  /** Outputs that were there before the build. They stay, and what was built of them is forgotten. */
  readonly existing?: ReadonlyMap<string, PathInfo> | undefined;
  /** Hashes modulo of the derivation, and of the one that was resolved to it, by output: what build traces are found by. */
  readonly traceHashes?: readonly ReadonlyMap<string, Digest>[] | undefined;
};

/**
 * Puts the path infos, those first that others refer to, and gives them by output. Throws `RealiseError` (`hash-mismatch`,
 * `output-rejected`, `output-check`, `cycle`) and what the services throw.
 */
export async function registerOutputs(
  built: BuiltDerivation,
  services: RegisterServices,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, PathInfo>> {
  const pathInfos = await describeOutputs(built, { ...services, keepsWrongOutputs: true }, signal);
  const isNew = (name: string): boolean => built.existing?.has(name) !== true;
  const stored = new Map(pathInfos);
  const missing: (readonly [string, PathInfo])[] = [];
  for (const [name, pathInfo] of pathInfos) {
    if (!isNew(name)) continue;
    const known = await services.pathInfos.get(pathInfo.storePath.hashPart, signal);
    if (known === undefined) missing.push([name, pathInfo]);
    else stored.set(name, known);
  }
  const newPathInfos = missing.map(([, pathInfo]) => pathInfo);
  const put = await putTogether(newPathInfos, services, signal);
  missing.forEach(([name], index) => stored.set(name, put[index] as PathInfo));
  await recordRealisations({ built, services, pathInfos: stored }, signal);
  return inNameOrder(stored, built);
}

/**
 * For a second build of outputs that are there: throws `RealiseError` (`not-reproducible`) when it gave something else, and
 * as `registerOutputs`. Nothing is put.
 */
export async function compareOutputs(
  built: Omit<BuiltDerivation, 'existing'> & { readonly existing: ReadonlyMap<string, PathInfo> },
  services: RegisterServices,
  signal?: AbortSignal,
): Promise<void> {
  const { existing, ...again } = built;
  const { store } = services;
  const described = await describeOutputs(again, { ...services, keepsWrongOutputs: false }, signal);
  for (const [name, pathInfo] of described) {
    const before = existing.get(name);
    if (before === undefined || before.narHash.equals(pathInfo.narHash)) continue;
    const drv = store.print(built.resolved.path);
    const shown = store.print(before.storePath);
    throw new RealiseError(
      'not-reproducible',
      `derivation '${drv}' may not be deterministic: output "${shown}" differs`,
    );
  }
}

/** Whether a fixed output with a wrong hash is kept under the path that it truly has. */
type DescribeServices = RegisterServices & { readonly keepsWrongOutputs: boolean };

/** In an order in which each comes after those that it refers to. */
async function describeOutputs(
  built: BuiltDerivation,
  services: DescribeServices,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, PathInfo>> {
  const outputs = foundOutputs(built);
  const drvPath = services.store.print(built.resolved.path);
  const describer = new OutputDescriber(built.resolved, services);
  for (const output of sortOutputs(outputs, drvPath)) {
    const existing = built.existing?.get(output.name);
    if (existing === undefined) await describer.describe(output, signal);
    else describer.keep(output, existing);
  }
  const pathInfos = inNameOrder(describer.pathInfos, built);
  await describer.checkFixed(signal);
  checkOutputs({ resolved: built.resolved, outputs: pathInfos, store: services.store });
  return describer.pathInfos;
}

/** An output as it was built. */
export type FoundOutput = {
  readonly name: string;
  readonly scratchPath: StorePath;
  readonly node: Node;
  readonly nar: NarCalculation | undefined;
  /** What it mentions. */
  readonly mentioned: readonly StorePath[];
  /** What it refers to: nothing when its derivation wants that. Paths of outputs are those they were built at. */
  readonly references: readonly StorePath[];
};

function foundOutputs(built: BuiltDerivation): readonly FoundOutput[] {
  const { resolved, outputs, needles, result, nars, existing } = built;
  return Array.from(outputs, ([name, scratchPath], index) => {
    const output: BuildOutput | undefined = result.outputs[index];
    if (output === undefined) throw new Error(`the builder gave no output '${name}'`);
    const mentioned = storePathSet(output.needles.flatMap((needle) => needles[needle] ?? []));
    const discards =
      existing?.has(name) === true || resolved.options.unsafeDiscardReferences.get(name) === true;
    const references = discards ? [] : mentioned;
    return { name, scratchPath, node: output.node, nar: nars?.get(name), mentioned, references };
  });
}

class OutputDescriber {
  /** In the order in which they were described. */
  readonly pathInfos: Map<string, PathInfo> = new Map();
  readonly #resolved: ResolvedDerivation;
  readonly #services: DescribeServices;
  readonly #narCalculation: NarCalculationService;
  /** Hash parts that outputs were built with, and those that they have at last. */
  readonly #rewrites: Map<string, StorePath> = new Map();

  constructor(resolved: ResolvedDerivation, services: DescribeServices) {
    this.#resolved = resolved;
    this.#services = services;
    this.#narCalculation = services.narCalculation ?? narCalculationByRendering(services);
  }

  keep({ name, scratchPath }: FoundOutput, pathInfo: PathInfo): void {
    this.pathInfos.set(name, pathInfo);
    this.#moved(scratchPath, pathInfo.storePath);
  }

  async describe(output: FoundOutput, signal?: AbortSignal): Promise<void> {
    const spec = this.#resolved.derivation.outputs.get(output.name);
    if (spec === undefined) throw new Error(`the derivation has no output '${output.name}'`);
    const pathInfo =
      spec.kind === 'input-addressed'
        ? await this.#inputAddressed(output, spec.path, signal)
        : await this.#contentAddressed(output, spec, signal);
    this.pathInfos.set(output.name, pathInfo);
    this.#moved(output.scratchPath, pathInfo.storePath);
  }

  /** Throws `RealiseError` unless a fixed output is what was specified. */
  async checkFixed(signal?: AbortSignal): Promise<void> {
    for (const [name, pathInfo] of this.pathInfos) {
      const spec = this.#resolved.derivation.outputs.get(name);
      if (spec?.kind !== 'fixed' || pathInfo.contentAddress === undefined) continue;
      const got = pathInfo.contentAddress.digest;
      if (!got.equals(spec.digest)) {
        if (this.#services.keepsWrongOutputs) await putUnlessThere(pathInfo, this.#services, signal);
        throw this.#hashMismatch(spec.digest, got);
      }
      const [example] = pathInfo.references;
      if (example === undefined) continue;
      const { store } = this.#services;
      throw new RealiseError(
        'output-rejected',
        `fixed-output derivations must not reference store paths: '${store.print(this.#resolved.path)}' ` +
          `references ${pathInfo.references.length} distinct paths, e.g. '${store.print(example)}'`,
      );
    }
  }

  async #inputAddressed(
    { node, nar, scratchPath, references }: FoundOutput,
    path: StorePath,
    signal?: AbortSignal,
  ): Promise<PathInfo> {
    const calculated = nar ?? (await this.#narCalculation.calculateNar(node, signal));
    const final = references.map((it) => (it.hashPart === scratchPath.hashPart ? path : this.#final(it)));
    return this.#pathInfo({ storePath: path, node, ...calculated, references: storePathSet(final) });
  }

  async #contentAddressed(
    output: FoundOutput,
    spec: Exclude<DerivationOutput, { readonly kind: 'input-addressed' }>,
    signal?: AbortSignal,
  ): Promise<PathInfo> {
    if (spec.kind === 'deferred') throw new Error('a deferred output was built before it was resolved');
    const { method } = spec;
    const algorithm = spec.kind === 'fixed' ? spec.digest.algorithm : spec.algorithm;
    if (method === 'flat' || method === 'text') this.#requirePlainFile(output);
    const { scratchPath } = output;
    const others = this.#rewritesOf(output);
    const node = await rewriteNode(output.node, others, this.#services, signal);
    const mentionsSelf = output.mentioned.some(({ hashPart }) => hashPart === scratchPath.hashPart);
    // The NAR that was computed on the way is that of the node, as long as nothing is rewritten.
    const nar =
      mentionsSelf || others.size > 0
        ? undefined
        : (output.nar ?? (await this.#narCalculation.calculateNar(node, signal)));
    const modulus = mentionsSelf ? scratchPath.hashPart : undefined;
    const digest =
      nar !== undefined && method === 'nar' && algorithm === 'sha256'
        ? nar.narHash
        : await contentDigest(node, { ...this.#services, method, algorithm, modulus }, signal);
    const contentAddress: ContentAddress = { method, digest };
    const { storePath, references } = this.#addressOf(output, contentAddress);
    const self = new Map(mentionsSelf ? [[scratchPath.hashPart, storePath.hashPart]] : []);
    const finalNode = await rewriteNode(node, self, this.#services, signal);
    const calculated = nar ?? (await this.#narCalculation.calculateNar(finalNode, signal));
    return this.#pathInfo({ storePath, node: finalNode, ...calculated, references, contentAddress });
  }

  /** The path that follows from the contents, and references with the paths that outputs have at last. */
  #addressOf(
    { name, references, scratchPath }: FoundOutput,
    contentAddress: ContentAddress,
  ): { readonly storePath: StorePath; readonly references: readonly StorePath[] } {
    const others = references.filter(({ hashPart }) => hashPart !== scratchPath.hashPart);
    const final = storePathSet(others.map((it) => this.#final(it)));
    const selfReference = others.length < references.length;
    const pathName = outputPathName(this.#resolved.derivation.name, name);
    try {
      const storePath = contentAddressedPath(this.#services.store, {
        name: pathName,
        contentAddress,
        references: final,
        selfReference,
      });
      return { storePath, references: storePathSet([...final, ...(selfReference ? [storePath] : [])]) };
    } catch (cause) {
      if (!(cause instanceof NixCompatError) || cause.code !== 'bad-reference') throw cause;
      throw new RealiseError(
        'output-rejected',
        `fixed output derivation '${pathName}' is not allowed to refer to other store paths.\n` +
          "You may need to use the 'unsafeDiscardReferences' derivation attribute, see the manual for more details.",
        { cause },
      );
    }
  }

  #requirePlainFile({ node, scratchPath }: FoundOutput): void {
    if (node.kind === 'file' && !node.executable) return;
    throw new RealiseError(
      'output-rejected',
      `output path "${this.#services.store.print(scratchPath)}" should be a non-executable regular file ` +
        'since recursive hashing is not enabled (one of outputHashMode={flat,text} is true)',
    );
  }

  /** Of outputs that it mentions, itself left out. */
  #rewritesOf({ mentioned }: FoundOutput): ReadonlyMap<string, string> {
    const rewrites = mentioned.flatMap(({ hashPart }) => {
      const final = this.#rewrites.get(hashPart);
      return final === undefined ? [] : [[hashPart, final.hashPart] as const];
    });
    return new Map(rewrites);
  }

  #final(path: StorePath): StorePath {
    return this.#rewrites.get(path.hashPart) ?? path;
  }

  #moved(from: StorePath, to: StorePath): void {
    if (from.hashPart !== to.hashPart) this.#rewrites.set(from.hashPart, to);
  }

  #pathInfo(
    described: Omit<PathInfo, 'signatures' | 'deriver' | 'contentAddress'> &
      Partial<Pick<PathInfo, 'contentAddress'>>,
  ): PathInfo {
    return {
      contentAddress: undefined,
      ...described,
      signatures: [],
      deriver: this.#resolved.path,
    };
  }

  #hashMismatch(wanted: Digest, actual: Digest): RealiseError {
    const specified = wanted.format('sri');
    const got = actual.format('sri');
    const url = likelyUrl(this.#resolved);
    const shown = this.#services.store.print(this.#resolved.path);
    return new RealiseError(
      'hash-mismatch',
      `hash mismatch in fixed-output derivation '${shown}':\n  specified: ${specified}\n     got:    ${got}` +
        (url === undefined ? '' : `\n  likely URL: ${url}`),
      { specified, got },
    );
  }
}

/** Where a fixed output comes from, as far as its derivation says so in the usual way. */
function likelyUrl({ derivation, structuredAttrs }: ResolvedDerivation): string | undefined {
  for (const name of ['url', 'urls']) {
    const value = structuredAttrs?.get(name);
    if (typeof value === 'string') return value;
    if (Array.isArray(value) && typeof value[0] === 'string') return value[0];
    const variable = decodeUtf8(derivation.environment.get(name) ?? new Uint8Array(0));
    const [first] = variable.split(/\s+/).filter((it) => it !== '');
    if (first !== undefined) return first;
  }
  return undefined;
}

/** What is there already stays: it may be in use, and was made by something else or in the meantime. */
async function putUnlessThere(
  pathInfo: PathInfo,
  { pathInfos }: RegisterServices,
  signal?: AbortSignal,
): Promise<PathInfo> {
  const known = await pathInfos.get(pathInfo.storePath.hashPart, signal);
  return known ?? (await pathInfos.put(pathInfo, signal));
}

/** In one transaction where the store has some; elsewhere one after the other, references first. */
async function putTogether(
  outputs: readonly PathInfo[],
  { pathInfos }: RegisterServices,
  signal?: AbortSignal,
): Promise<readonly PathInfo[]> {
  if (pathInfos.putAll !== undefined && outputs.length > 0) return await pathInfos.putAll(outputs, signal);
  const stored: PathInfo[] = [];
  for (const it of outputs) stored.push(await pathInfos.put(it, signal));
  return stored;
}

type Registered = {
  readonly built: BuiltDerivation;
  readonly services: RegisterServices;
  readonly pathInfos: ReadonlyMap<string, PathInfo>;
};

function recordRealisations(
  { built, services: { realisations }, pathInfos }: Registered,
  signal?: AbortSignal,
): Promise<void> {
  return rememberOutputs(pathInfos, { ...built, realisations }, signal);
}

type Remembering = Pick<BuiltDerivation, 'resolved' | 'traceHashes'> & {
  readonly realisations: Realisations | undefined;
};

/** Puts down which paths the outputs have, where that follows from what was built. */
export async function rememberOutputs(
  outputs: ReadonlyMap<string, PathInfo>,
  { resolved, traceHashes = [], realisations }: Remembering,
  signal?: AbortSignal,
): Promise<void> {
  if (realisations === undefined || resolved.type === 'impure') return;
  const all = traceHashes.flatMap((hashes) =>
    Array.from(hashes, ([output, derivationHash]) => {
      const path = outputs.get(output)?.storePath;
      return path === undefined ? [] : [{ id: { derivationHash, output }, path, signatures: [] }];
    }).flat(),
  );
  if (all.length > 0) await realisations.put(all, signal);
}

function inNameOrder(
  pathInfos: ReadonlyMap<string, PathInfo>,
  { outputs }: BuiltDerivation,
): ReadonlyMap<string, PathInfo> {
  return new Map(
    Array.from(outputs.keys()).flatMap((name) => {
      const pathInfo = pathInfos.get(name);
      return pathInfo === undefined ? [] : [[name, pathInfo] as const];
    }),
  );
}
