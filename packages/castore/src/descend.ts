/** From a node along a path to the node at its end. */
import { CastoreError } from './castore-error.ts';
import type { DirectoryService } from './directory-service.ts';
import type { Node } from './node.ts';
import type { PathComponent } from './path-component.ts';

/**
 * The node at `path` below `node`: `undefined` where a name is not there or something that is no directory is in the way;
 * symbolic links are not followed. The service must find every directory, not only roots of closures. Throws
 * `CastoreError` (`not-found`) when a directory on the way is not in the service.
 */
// oxlint-disable-next-line eslint/max-params -- three things and the signal
export async function descend(
  directories: Pick<DirectoryService, 'get'>,
  node: Node,
  path: readonly PathComponent[],
  signal?: AbortSignal,
): Promise<Node | undefined> {
  let current: Node | undefined = node;
  for (const name of path) {
    if (current?.kind !== 'directory') return undefined;
    const directory = await directories.get(current.digest, signal);
    if (directory === undefined) {
      throw new CastoreError(
        'not-found',
        `the directory ${current.digest.toString()} is not there, so '${name.toString()}' cannot be found`,
      );
    }
    current = directory.get(name);
  }
  return current;
}
