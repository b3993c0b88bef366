/** A path info as JSON: the keys of `nix path-info --json`, and the castore node. */
import type { Node } from '@neve/castore';
import { type StoreDirectory, printContentAddress, printSignature } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';

export function pathInfoJson(pathInfo: PathInfo, directory: StoreDirectory): Record<string, unknown> {
  const { storePath, node, references, narSize, narHash, signatures, deriver, contentAddress } = pathInfo;
  return {
    path: directory.print(storePath),
    narHash: narHash.format('sri'),
    narSize,
    references: references.map((it) => directory.print(it)),
    ...(deriver !== undefined && { deriver: directory.print(deriver) }),
    ...(signatures.length > 0 && { signatures: signatures.map(printSignature) }),
    ...(contentAddress !== undefined && { ca: printContentAddress(contentAddress) }),
    node: nodeJson(node),
  };
}

export function nodeJson(node: Node): Record<string, unknown> {
  switch (node.kind) {
    case 'directory':
      return { type: 'directory', digest: String(node.digest), size: node.size };
    case 'file':
      return { type: 'regular', digest: String(node.digest), size: node.size, executable: node.executable };
    case 'symlink':
      return { type: 'symlink', target: String(node.target) };
  }
}
