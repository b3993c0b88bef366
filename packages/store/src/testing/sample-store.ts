/**
 * Stores in memory with real contents, to test what works on whole stores. Every path is a directory with a file of its
 * own, files that it shares with others, and a directory below.
 */
import { encodeUtf8 } from '@neve/bytes';
import type { HashFunctions } from '@neve/bytes';
import { Directory, memoryBlobs, memoryDirectories, pathComponent } from '@neve/castore';
import type { DirectoryNode, Node } from '@neve/castore';
import { storePathSet } from '@neve/nix-compat';
import { memoryPathInfos } from '../memory-path-infos.ts';
import { narCalculationByRendering } from '../nar-calculation.ts';
import type { PathInfo } from '../path-info.ts';
import type { StoreServices } from '../store-services.ts';
import { samplePath, samplePathInfo } from './sample-path-infos.ts';

export function memoryStore(): StoreServices {
  return { blobs: memoryBlobs(), directories: memoryDirectories(), pathInfos: memoryPathInfos() };
}

export type SampleContents = {
  readonly seed: string;
  /** Files and a directory with these names are the same for all that have them. */
  readonly shared?: readonly string[];
};

/** Stores a tree. */
export async function putSampleTree(
  { seed, shared = [] }: SampleContents,
  { blobs, directories }: StoreServices,
): Promise<DirectoryNode> {
  const file = async (text: string): Promise<Node> => {
    const bytes = encodeUtf8(text);
    return { kind: 'file', digest: await blobs.put(bytes), size: bytes.length, executable: false };
  };
  await using putter = directories.putClosure();
  const inner = Directory.of([
    { name: pathComponent('inner'), node: await file(`inner ${shared.join(' ')}`) },
    ...(await Promise.all(shared.map(async (it) => ({ name: pathComponent(it), node: await file(it) })))),
  ]);
  const root = Directory.of([
    { name: pathComponent('own'), node: await file(`own ${seed}`) },
    { name: pathComponent('sub'), node: inner.node },
  ]);
  await putter.put(inner);
  await putter.put(root);
  await putter.close();
  return root.node;
}

export type SamplePath = SampleContents & { readonly references?: readonly string[] };

/** Stores a path with true NAR hash and size, signed by nobody. */
export async function putSamplePath(
  sample: SamplePath,
  store: StoreServices,
  hashes: HashFunctions,
): Promise<PathInfo> {
  const node = await putSampleTree(sample, store);
  const nar = await narCalculationByRendering({ ...store, hashes }).calculateNar(node);
  const references = storePathSet((sample.references ?? []).map((it) => samplePath(it)));
  return store.pathInfos.put(samplePathInfo(sample.seed, { ...nar, node, references, signatures: [] }));
}
