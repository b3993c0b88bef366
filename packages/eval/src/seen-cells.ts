/** Cells of the core that a walk has met. They move when the core collects. */
import type { Address, Core, Handle } from './core.ts';

/** Cells that were met, found by their addresses until a collection moves them. */
export class SeenCells {
  readonly #core: Core;
  readonly #handles: Handle[] = [];
  #addresses = new Set<Address>();
  #collections = -1;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Keeps them alive no longer. */
  end(): void {
    for (const handle of this.#handles.splice(0)) this.#core.exports.release(handle);
    this.#addresses.clear();
  }

  /** Whether the cell is new. */
  add(value: Address): boolean {
    const { exports } = this.#core;
    const collections = exports.statistic(collectionCount);
    if (collections !== this.#collections) {
      this.#addresses = new Set(this.#handles.map((handle) => exports.resolved(exports.kept(handle))));
      this.#collections = collections;
    }
    const cell = exports.resolved(value);
    if (this.#addresses.has(cell)) return false;
    this.#addresses.add(cell);
    this.#handles.push(exports.keep(cell));
    return true;
  }
}

/** The place of the counter in the core's `statistic`. */
const collectionCount = 10;
