/** Puts a node into a tree, by making the directories above it anew. */
import { CastoreError, Directory } from '@neve/castore';
import type { DirectoryEntry, DirectoryService, Node, PathComponent } from '@neve/castore';

export type Graft = { readonly path: readonly PathComponent[]; readonly node: Node };

/**
 * The tree `root` with `node` at `path`, in place of what was there; directories on the way that are missing, or are none,
 * are made. Everything below both has to be stored. Throws `CastoreError`.
 */
export async function graft(directories: DirectoryService, root: Node, { path, node }: Graft): Promise<Node> {
  const [name, ...rest] = path;
  if (name === undefined) return node;
  const entries = await entriesOf(directories, root);
  const present = entries.find((entry) => entry.name.equals(name));
  const below = await graft(directories, present?.node ?? emptyNode(), { path: rest, node });
  const directory = Directory.of([...entries.filter((entry) => entry !== present), { name, node: below }]);
  await directories.put(directory);
  return directory.node;
}

function emptyNode(): Node {
  return Directory.of([]).node;
}

async function entriesOf(directories: DirectoryService, node: Node): Promise<readonly DirectoryEntry[]> {
  if (node.kind !== 'directory') return [];
  const directory = await directories.get(node.digest);
  if (directory !== undefined) return directory.entries;
  // The empty one need not be stored.
  if (node.digest.equals(Directory.of([]).digest)) return [];
  throw new CastoreError('not-found', `the directory ${node.digest.toString()} is not there`);
}
