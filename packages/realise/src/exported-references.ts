/**
 * What `exportReferencesGraph` tells a builder: everything that some of its inputs refer to. Where the closure holds
 * derivations their outputs are in it as well, which is how the means to build something are put on an installation
 * medium.
 *
 * Without structured attributes it is a file, for each path in order:
 *
 *     <path> LF <empty: no deriver is told> LF <number of references> LF { <path of a reference> LF }
 */
import { printContentAddress, storePathSet } from '@neve/nix-compat';
import type { Derivation, ExportedPathInfo, StoreDirectory, StorePath } from '@neve/nix-compat';
import { requirePathClosure } from '@neve/store';
import type { PathInfo, PathInfoService } from '@neve/store';
import { RealiseError } from './realise-error.ts';
import type { ResolvedDerivation } from './resolved-derivation.ts';

export type ExportOptions = {
  readonly store: StoreDirectory;
  readonly pathInfos: PathInfoService;
  /** Reads the derivation at a path that is in a closure. */
  readonly readDerivation: (path: StorePath, signal?: AbortSignal) => Promise<Derivation>;
};

/**
 * By file name or key of the structured attributes: paths in the order of their base names, and with each all that it refers
 * to.
 */
export type ExportedGraphs = ReadonlyMap<string, readonly PathInfo[]>;

/**
 * Throws `RealiseError` (`invalid-derivation` for what is not among the inputs, `unsupported` for derivations whose outputs
 * have no paths) and `StoreError` (`not-found`).
 */
export async function readExportedGraphs(
  { options, inputs }: Pick<ResolvedDerivation, 'options' | 'inputs'>,
  context: ExportOptions,
  signal?: AbortSignal,
): Promise<ExportedGraphs> {
  const graphs = new Map<string, readonly PathInfo[]>();
  for (const [name, references] of options.exportReferencesGraph) {
    const roots = references.map((reference) => {
      if (reference.kind === 'path' && inputs.has(reference.path.hashPart)) return reference.path;
      const shown = reference.kind === 'path' ? context.store.print(reference.path) : reference.placeholder;
      throw new RealiseError(
        'invalid-derivation',
        `cannot export references of path '${shown}' because it is not in the input closure of the derivation`,
      );
    });
    graphs.set(name, await readGraph(roots, context, signal));
  }
  return graphs;
}

/** The registration file. */
export function printRegistration(graph: readonly PathInfo[], store: StoreDirectory): string {
  return graph
    .map(({ storePath, references }) => {
      const shown = references.map((it) => `${store.print(it)}\n`).join('');
      return `${store.print(storePath)}\n\n${references.length}\n${shown}`;
    })
    .join('');
}

/** For structured attributes. */
export function exportedPathInfos(
  graph: readonly PathInfo[],
  store: StoreDirectory,
): readonly ExportedPathInfo[] {
  const byHashPart = new Map(graph.map((it) => [it.storePath.hashPart, it]));
  return graph.map(({ storePath, narHash, narSize, references, contentAddress }) => ({
    path: store.print(storePath),
    narHash: `${narHash.algorithm}:${narHash.format('nix32')}`,
    narSize,
    closureSize: closureSize(storePath.hashPart, byHashPart),
    references: references.map((it) => store.print(it)),
    contentAddress: contentAddress && printContentAddress(contentAddress),
  }));
}

async function readGraph(
  roots: readonly StorePath[],
  { store, pathInfos, readDerivation }: ExportOptions,
  signal?: AbortSignal,
): Promise<readonly PathInfo[]> {
  const closure = await requirePathClosure(roots, { pathInfos }, signal);
  const outputs: StorePath[] = [];
  for (const { storePath } of closure) {
    if (!storePath.isDerivation) continue;
    for (const output of (await readDerivation(storePath, signal)).outputs.values()) {
      if ('path' in output) outputs.push(output.path);
      else {
        const shown = store.print(storePath);
        const problem = 'exportReferences on CA derivations is not yet implemented';
        throw new RealiseError('unsupported', `${problem}: the outputs of '${shown}' have no paths`);
      }
    }
  }
  const all =
    outputs.length === 0 ? closure : await requirePathClosure([...roots, ...outputs], { pathInfos }, signal);
  const byHashPart = new Map(all.map((it) => [it.storePath.hashPart, it]));
  return storePathSet(all.map(({ storePath }) => storePath)).flatMap(
    ({ hashPart }) => byHashPart.get(hashPart) ?? [],
  );
}

/** The sum of the NARs of a path and all that it refers to. */
function closureSize(root: string, pathInfos: ReadonlyMap<string, PathInfo>): number {
  const seen = new Set([root]);
  let size = 0;
  // The set grows while it is walked.
  for (const hashPart of seen) {
    const pathInfo = pathInfos.get(hashPart);
    size += pathInfo?.narSize ?? 0;
    for (const reference of pathInfo?.references ?? []) seen.add(reference.hashPart);
  }
  return size;
}
