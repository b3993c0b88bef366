/**
 * Printing a value as `nix eval` does: everything inside is evaluated, and what fails in there is shown in its place,
 * while a failure of the value itself is an error.
 *
 * This takes two walks, for a value may move in the core's memory as long as something is evaluated. The first one
 * evaluates and remembers what failed; the second one prints, and nothing moves. Both keep their own stack, since values
 * nest deeper than functions may. Sets that were met before are neither looked into again nor printed again, derivations
 * are shown as their paths.
 *
 * With a layout, what is in a set or list has lines of its own, unless it is one plain value. Such a value, alone in what
 * is printed, is evaluated with that: if it fails, so does all of it.
 */
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { terminalText } from '@neve/diagnostics';
import type { Address, Core, Handle } from './core.ts';
import { EvaluationError, type PrintLayout, type Value } from './evaluator.ts';
import type { Offers } from './fibers.ts';
import { SeenCells } from './seen-cells.ts';
import { WalkAhead } from './walk-ahead.ts';

export type EvaluatedPrinterOptions = {
  readonly core: Core;
  readonly force: (value: Address) => Promise<Value>;
  /** Runs the walk; while it waits, what it offers is evaluated as well. */
  readonly during: <T>(offers: Offers, walk: () => Promise<T>) => Promise<T>;
  /** Deeper nesting than this is an error, as it is for calls. */
  readonly maximumDepth: number;
  /** As `nix repl` prints; on one line without it. */
  readonly layout?: PrintLayout | undefined;
};

export async function printEvaluated(value: Value, options: EvaluatedPrinterOptions): Promise<Uint8Array> {
  const { core } = options;
  const kind = core.exports.valueKind(core.exports.kept(value.handle));
  const failures = isContainer(kind) ? await evaluateInside(value, options) : [];
  const printed = new Printer(core, failures, options.layout).print(value);
  for (const { slot } of failures) core.exports.release(slot);
  return printed;
}

const kindList = 6;
const kindAttrs = 7;
const kindString = 4;
const notEvaluated = -1;

/** A part of a value that could not be evaluated; it is kept, so that the second walk can find it. */
type Failure = { readonly slot: Handle; readonly message: string };

/** A list or set on the way, the next of its items, and the first that was not offered to be evaluated beside others. */
type Container<T> = {
  readonly at: T;
  /** Whether each of its items has a line. */
  readonly hasLines?: boolean;
  readonly isSet: boolean;
  readonly size: number;
  next: number;
  offered?: number;
};

// ── Evaluating ──

async function evaluateInside(value: Value, options: EvaluatedPrinterOptions): Promise<readonly Failure[]> {
  const evaluation = new Evaluation(options);
  return await options.during(
    () => evaluation.offer(),
    () => evaluation.run(value),
  );
}

class Evaluation {
  readonly #core: Core;
  readonly #options: EvaluatedPrinterOptions;
  readonly #failures: Failure[] = [];
  readonly #seen: SeenCells;
  readonly #stack: Container<Handle>[] = [];
  readonly #ahead: WalkAhead;

  constructor(options: EvaluatedPrinterOptions) {
    this.#core = options.core;
    this.#options = options;
    this.#seen = new SeenCells(options.core);
    this.#ahead = new WalkAhead(options.core);
  }

  async run(value: Value): Promise<readonly Failure[]> {
    const { exports } = this.#core;
    await this.#enter(exports.kept(value.handle));
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      if (top.next === top.size) {
        exports.release(top.at);
        this.#stack.pop();
        continue;
      }
      const container = exports.kept(top.at);
      const item = top.isSet ? exports.attrAt(container, top.next) : exports.itemAt(container, top.next);
      top.next += 1;
      await this.#evaluate(item);
    }
    this.#ahead.end();
    this.#seen.end();
    return this.#failures;
  }

  /** Something that the walk will come to and that is not evaluated, nearest first. */
  offer(): Address | undefined {
    const { exports } = this.#core;
    let offered = this.#ahead.next();
    for (const container of this.#stack.toReversed()) {
      let index = Math.max(container.next, container.offered ?? 0);
      while (offered === undefined && index < container.size) {
        const at = exports.kept(container.at);
        this.#ahead.add(container.isSet ? exports.attrAt(at, index) : exports.itemAt(at, index));
        index += 1;
        container.offered = index;
        offered = this.#ahead.next();
      }
    }
    return offered;
  }

  /** Evaluates an item, and begins to walk it. */
  async #evaluate(item: Address): Promise<void> {
    const { exports } = this.#core;
    const slot = exports.keep(item);
    try {
      if (exports.valueKind(item) === notEvaluated) {
        exports.release((await this.#options.force(item)).handle);
      }
      await this.#enter(exports.kept(slot));
      exports.release(slot);
    } catch (error) {
      if (!(error instanceof EvaluationError) || error === this.#overflow || this.#isAlone()) throw error;
      this.#failures.push({ slot, message: error.message });
    }
  }

  /** With a layout: whether what is being evaluated is all that is in the value that is printed. */
  #isAlone(): boolean {
    return this.#options.layout !== undefined && this.#stack.length === 1 && this.#stack[0]?.size === 1;
  }

  /** Goes into a list, or into a set that is no derivation. */
  async #enter(value: Address): Promise<void> {
    const { exports } = this.#core;
    const kind = exports.valueKind(value);
    if (!isContainer(kind) || !this.#seen.add(value)) return;
    const isSet = kind === kindAttrs;
    const at = exports.keep(value);
    if (isSet && (await this.#isDerivation(at))) {
      exports.release(at);
      return;
    }
    if (this.#stack.length >= (this.#options.layout?.depth ?? Infinity)) {
      exports.release(at);
      return;
    }
    const container = exports.kept(at);
    if (this.#stack.length > this.#options.maximumDepth) throw this.#overflow;
    const size = isSet ? exports.setSize(container) : exports.listSize(container);
    this.#stack.push({ at, isSet, size, next: 0 });
  }

  /** Whether a set is a derivation; then what is shown of it is evaluated too. */
  async #isDerivation(set: Handle): Promise<boolean> {
    const type = await this.#forcedAttr(set, 'type');
    if (type === undefined || type !== 'derivation') return false;
    await this.#forcedAttr(set, 'drvPath');
    return true;
  }

  /** The text of an attribute, if it is a string. */
  async #forcedAttr(set: Handle, name: string): Promise<string | undefined> {
    const { exports } = this.#core;
    const found = attrNamed(this.#core, exports.kept(set), name);
    if (found === 0) return undefined;
    const forced = await this.#options.force(found);
    const text = textOf(this.#core, exports.kept(forced.handle));
    exports.release(forced.handle);
    return text;
  }

  readonly #overflow = new EvaluationError({
    kind: 'error',
    message: 'stack overflow; max-call-depth exceeded',
    traces: [],
    suggestions: [],
  });
}

// ── Printing ──

class Printer {
  readonly #core: Core;
  readonly #messages: ReadonlyMap<Address, string>;
  readonly #seen = new Set<Address>();
  readonly #stack: Container<Address>[] = [];
  readonly #parts: Uint8Array[] = [];

  readonly #layout: PrintLayout | undefined;

  // oxlint-disable-next-line eslint/max-params -- where, what failed there, and how
  constructor(core: Core, failures: readonly Failure[], layout: PrintLayout | undefined) {
    this.#core = core;
    this.#layout = layout;
    this.#messages = new Map(failures.map(({ slot, message }) => [core.exports.kept(slot), message]));
  }

  print(value: Value): Uint8Array {
    const { exports } = this.#core;
    this.#begin(exports.kept(value.handle));
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      if (top.next === top.size) {
        this.#stack.pop();
        if (this.#layout !== undefined) this.#separate(top);
        this.#put(top.isSet ? '}' : ']');
        if (this.#stack.length > 0) this.#endItem();
        continue;
      }
      const rank = top.next;
      top.next += 1;
      if (this.#layout !== undefined) this.#separate(top);
      if (top.isSet) {
        exports.printAttrName(top.at, rank);
        this.#parts.push(this.#core.takeOutput());
        this.#put(' = ');
      }
      if (this.#begin(top.isSet ? exports.attrAt(top.at, rank) : exports.itemAt(top.at, rank)))
        this.#endItem();
    }
    return concatBytes(this.#parts);
  }

  #endItem(): void {
    const isInSet = this.#stack.at(-1)?.isSet === true;
    if (this.#layout === undefined) this.#put(isInSet ? '; ' : ' ');
    else if (isInSet) this.#put(';');
  }

  /** A line end, indented as deep as the stack is now, or a blank. */
  #separate({ hasLines }: Container<Address>): void {
    this.#put(hasLines === true ? `\n${'  '.repeat(this.#stack.length)}` : ' ');
  }

  /** Prints a value; false where it has only begun with one that holds others. */
  #begin(slot: Address): boolean {
    const { exports } = this.#core;
    const message = this.#messages.get(slot);
    const kind = exports.valueKind(slot);
    if (message !== undefined) this.#put(`«error: ${terminalText(message, { colour: false })}»`, red);
    else if (kind === kindAttrs) return this.#beginSet(slot);
    else if (kind === kindList) return this.#beginList(slot);
    else {
      exports.printValue(slot, 1);
      this.#putBytes(this.#core.takeOutput(), colourOfKind[kind] ?? blue);
    }
    return true;
  }

  #beginSet(slot: Address): boolean {
    const { exports } = this.#core;
    const set = exports.resolved(slot);
    if (this.#isRepeated(set)) return true;
    const type = attrNamed(this.#core, set, 'type');
    if (type !== 0 && textOf(this.#core, type) === 'derivation') {
      const path = attrNamed(this.#core, set, 'drvPath');
      const text = path === 0 ? undefined : textOf(this.#core, path);
      this.#put(text === undefined ? '«derivation»' : `«derivation ${text}»`, green);
      return true;
    }
    return this.#beginContainer(set, { isSet: true, size: exports.setSize(set) });
  }

  /** Two lists are the same one only where the same place refers to them. */
  #beginList(slot: Address): boolean {
    const size = this.#core.exports.listSize(slot);
    if (size > 0 && this.#isRepeated(slot)) return true;
    return this.#beginContainer(slot, { isSet: false, size });
  }

  #beginContainer(at: Address, { isSet, size }: { readonly isSet: boolean; readonly size: number }): boolean {
    const [open, close] = isSet ? ['{', '}'] : ['[', ']'];
    if (this.#layout === undefined) this.#put(`${open} `);
    else if (this.#stack.length >= (this.#layout.depth ?? Infinity)) {
      this.#put(`${open} ... ${close}`);
      return true;
    } else this.#put(open);
    this.#stack.push({
      at,
      isSet,
      size,
      next: 0,
      hasLines: size > 1 || (size === 1 && this.#isNested(at, isSet)),
    });
    return false;
  }

  /** Whether the only item of a container is one itself. */
  #isNested(container: Address, isSet: boolean): boolean {
    const { exports } = this.#core;
    const item = isSet ? exports.attrAt(container, 0) : exports.itemAt(container, 0);
    return !this.#messages.has(item) && isContainer(exports.valueKind(item));
  }

  #isRepeated(value: Address): boolean {
    if (this.#seen.has(value)) {
      this.#put('«repeated»', magenta);
      return true;
    }
    this.#seen.add(value);
    return false;
  }

  #put(text: string, colour?: number): void {
    this.#putBytes(encodeUtf8(text), colour);
  }

  #putBytes(text: Uint8Array, colour?: number): void {
    if (colour === undefined || this.#layout?.colour !== true) this.#parts.push(text);
    else this.#parts.push(encodeUtf8(`\x1b[${colour};1m`), text, encodeUtf8('\x1b[0m'));
  }
}

// The colours of `nix repl`, all of them bold.
const red = 31;
const green = 32;
const blue = 34;
const magenta = 35;
const cyan = 36;

/** null, bool, int, float, string, path; all others are functions. What is not evaluated has no place here. */
const colourOfKind: Readonly<Record<number, number>> = {
  0: cyan,
  1: cyan,
  2: cyan,
  3: cyan,
  4: magenta,
  5: green,
};

function isContainer(kind: number): boolean {
  return kind === kindList || kind === kindAttrs;
}

/** 0 when there is none. */
function attrNamed(core: Core, set: Address, name: string): Address {
  return core.exports.attrNamed(set, core.write(encodeUtf8(name)));
}

function textOf(core: Core, value: Address): string | undefined {
  return core.exports.valueKind(value) === kindString ? decodeUtf8(core.read(value)) : undefined;
}
