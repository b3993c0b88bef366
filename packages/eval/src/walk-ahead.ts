/**
 * What a walk through everything in a value will come to, so that it can be evaluated before: while the walk waits
 * somewhere, parts that are not evaluated are given out, and when they are, the parts in them.
 *
 * A derivation is not looked into, and nothing twice. The number of parts is bounded: values have no end.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Address, Core, Handle } from './core.ts';
import { SeenCells } from './seen-cells.ts';

const kindString = 4;
const kindList = 6;
const kindAttrs = 7;
const notEvaluated = -1;
const maximumParts = 10_000;

export class WalkAhead {
  readonly #core: Core;
  readonly #seen: SeenCells;
  /** Parts that were not looked at. */
  readonly #fresh: Handle[] = [];
  /** Parts that were given out. */
  readonly #given = new Set<Handle>();
  #parts = 0;

  constructor(core: Core) {
    this.#core = core;
    this.#seen = new SeenCells(core);
  }

  /** Adds a part that the walk will come to. */
  add(part: Address): void {
    if (this.#parts >= maximumParts) return;
    this.#parts += 1;
    this.#fresh.push(this.#core.exports.keep(part));
  }

  /** A part that is to be evaluated; `undefined` while there is none. */
  next(): Address | undefined {
    const { exports } = this.#core;
    if (this.#fresh.length === 0) this.#lookAtGiven();
    for (let part = this.#fresh.shift(); part !== undefined; part = this.#fresh.shift()) {
      const address = exports.kept(part);
      if (exports.valueKind(address) === notEvaluated) {
        this.#given.add(part);
        return address;
      }
      this.#enter(address);
      exports.release(part);
    }
    return undefined;
  }

  /** Forgets everything. */
  end(): void {
    for (const part of [...this.#fresh, ...this.#given]) this.#core.exports.release(part);
    this.#fresh.length = 0;
    this.#given.clear();
  }

  #lookAtGiven(): void {
    const { exports } = this.#core;
    for (const part of this.#given) {
      const address = exports.kept(part);
      if (exports.valueKind(address) === notEvaluated) continue;
      this.#given.delete(part);
      this.#enter(address);
      exports.release(part);
    }
  }

  #enter(value: Address): void {
    const { exports } = this.#core;
    const kind = exports.valueKind(value);
    if ((kind !== kindList && kind !== kindAttrs) || !this.#seen.add(value)) return;
    if (kind === kindAttrs && this.#isDerivation(value)) return;
    const size = kind === kindAttrs ? exports.setSize(value) : exports.listSize(value);
    for (let index = 0; index < size; index++) {
      this.add(kind === kindAttrs ? exports.attrAt(value, index) : exports.itemAt(value, index));
    }
  }

  #isDerivation(set: Address): boolean {
    const { exports } = this.#core;
    const type = exports.attrNamed(set, this.#core.write(encodeUtf8('type')));
    return (
      type !== 0 &&
      exports.valueKind(type) === kindString &&
      decodeUtf8(this.#core.read(type)) === 'derivation'
    );
  }
}
