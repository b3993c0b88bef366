/**
 * The NARs that a cache has told of: how large the NAR of a node is, which node a NAR hash stands for, and which path it was.
 * In memory for those told of last, and in a table for those of earlier processes.
 */
import type { Digest } from '@neve/bytes';
import type { Node } from '@neve/castore';
import { type NarTable, type PathInfo, infusedName } from '@neve/store';
import { RecentMap } from './recent-map.ts';

type Told = { readonly node: Node; readonly narSize: number; readonly hashPart: string };

export class KnownNars {
  readonly #table: NarTable | undefined;
  readonly #byName = new RecentMap<Told>({ maxCost: 100_000 });
  readonly #byHash = new RecentMap<Told>({ maxCost: 100_000 });

  /** Without a table nothing outlives the process. */
  constructor(table?: NarTable) {
    this.#table = table;
  }

  async record({ node, narSize, narHash, storePath }: PathInfo): Promise<void> {
    const told = { node, narSize, hashPart: storePath.hashPart };
    this.#byName.set(infusedName(node), told);
    this.#byHash.set(narHash.format('nix32'), told);
    if (this.#table === undefined || (await this.#table.findNode(narHash)) !== undefined) return;
    await this.#table.record(node, { narSize, narHash });
  }

  /** In bytes. */
  async sizeOf(node: Node): Promise<number | undefined> {
    return this.#byName.get(infusedName(node))?.narSize ?? (await this.#table?.find(node))?.narSize;
  }

  async nodeOf(narHash: Digest): Promise<Node | undefined> {
    return this.#byHash.get(narHash.format('nix32'))?.node ?? this.#table?.findNode(narHash);
  }

  /** The hash part of a path with this node, where it is remembered. */
  hashPartOf(node: Node): string | undefined {
    return this.#byName.get(infusedName(node))?.hashPart;
  }
}
