/** Builds whose outputs are written down in the test: trees in memory, scanned as a builder scans them. */
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { BuildRequest, BuildResult } from '@neve/build';
import { Directory, ReferenceScanner, pathComponent, scanNode, symlinkTarget } from '@neve/castore';
import type { Node } from '@neve/castore';
import { StoreDirectory, parseDerivation, parseStorePath } from '@neve/nix-compat';
import type { Derivation, StorePath } from '@neve/nix-compat';
import { defaultBuildSettings, resolvedDerivation } from '@neve/realise';
import type { BuildSettings, ResolvedDerivation, StoreContext } from '@neve/realise';
import { narCalculationByRendering } from '@neve/store';
import type { PathInfo, StoreServices } from '@neve/store';
import { memoryStore } from '@neve/store/testing';

export const store: StoreDirectory = new StoreDirectory('/nix/store', nodeHashes);
export const context: StoreContext = { store, hashes: nodeHashes };
export const settings: BuildSettings = { ...defaultBuildSettings, systems: ['x86_64-linux'], cores: 2 };

/** The text of a file, or another object. */
export type Tree = string | Executable | Link | Folder;

type Executable = { readonly executable: string };
type Link = { readonly link: string };
type Folder = { readonly [name: string]: Tree };

export type TestStore = StoreServices & StoreContext;

export function testStore(): TestStore {
  return { ...memoryStore(), ...context };
}

export async function putTree(tree: Tree, services: StoreServices): Promise<Node> {
  if (typeof tree === 'string') return putFile(tree, false, services);
  if (isExecutable(tree)) return putFile(tree.executable, true, services);
  if (isLink(tree)) return { kind: 'symlink', target: symlinkTarget(tree.link) };
  const entries = Object.entries(tree).map(async ([name, it]) => ({
    name: pathComponent(name),
    node: await putTree(it, services),
  }));
  const directory = Directory.of(await Promise.all(entries));
  await services.directories.put(directory);
  return directory.node;
}

function isExecutable(tree: Executable | Link | Folder): tree is Executable {
  return typeof (tree as Partial<Executable>).executable === 'string';
}

function isLink(tree: Link | Folder): tree is Link {
  return typeof (tree as Partial<Link>).link === 'string';
}

async function putFile(text: string, executable: boolean, { blobs }: StoreServices): Promise<Node> {
  const bytes = encodeUtf8(text);
  return { kind: 'file', digest: await blobs.put(bytes), size: bytes.length, executable };
}

/** Puts a path with its contents. */
export async function putPath(
  { baseName, tree, references = [] }: { baseName: string; tree: Tree; references?: readonly StorePath[] },
  services: TestStore,
): Promise<PathInfo> {
  const node = await putTree(tree, services);
  const nar = await narCalculationByRendering(services).calculateNar(node);
  return services.pathInfos.put({
    storePath: parseStorePath(baseName),
    node,
    ...nar,
    references,
    signatures: [],
    deriver: undefined,
    contentAddress: undefined,
  });
}

/** What a builder would give whose command made these outputs, in the order of the request. */
export async function buildByHand(
  request: BuildRequest,
  trees: readonly Tree[],
  services: StoreServices,
): Promise<BuildResult> {
  const outputs = trees.map(async (tree) => {
    const node = await putTree(tree, services);
    const scanner = new ReferenceScanner(request.needles);
    await scanNode(node, scanner, services);
    return { node, needles: scanner.found };
  });
  return { outputs: await Promise.all(outputs) };
}

export function readDerivation(text: string, baseName: string): { path: StorePath; derivation: Derivation } {
  const path = parseStorePath(baseName);
  const name = path.name.replace(/\.drv$/, '');
  return { path, derivation: parseDerivation(encodeUtf8(text), { name, store }) };
}

export function resolve(text: string, baseName: string, inputs: Iterable<PathInfo> = []): ResolvedDerivation {
  return resolvedDerivation({ ...readDerivation(text, baseName), inputs, store });
}

/** A derivation without a true path. */
export function makeResolved(
  environment: Readonly<Record<string, string>>,
  changes: Partial<Derivation> & { readonly inputs?: readonly PathInfo[] } = {},
): ResolvedDerivation {
  const { inputs = [], ...rest } = changes;
  const path = parseStorePath('8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-made.drv');
  const out = parseStorePath('mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made');
  const derivation: Derivation = {
    name: 'made',
    outputs: new Map([['out', { kind: 'input-addressed', path: out }]]),
    inputSources: inputs.map(({ storePath }) => storePath),
    inputDerivations: [],
    system: encodeUtf8('x86_64-linux'),
    builder: encodeUtf8('/bin/sh'),
    args: ['-c', ':'].map(encodeUtf8),
    environment: new Map(Object.entries(environment).map(([name, value]) => [name, encodeUtf8(value)])),
    ...rest,
  };
  return resolvedDerivation({ path, derivation, inputs, store });
}
