/**
 * The host's side of the core's profiler (`assembly/machine/profiler.ts`, which draws the samples): gives it its clock,
 * takes its samples while the machine stands still, and merges equal stacks in a tree, so that an evaluation of minutes
 * needs no more memory than its different stacks do.
 *
 * The clock runs while the core evaluates, the host's direct answers included; it stands still while an evaluation waits
 * for builds and fetches.
 */
import { decodeUtf8 } from '@neve/bytes';
import type { Position } from '@neve/diagnostics';
import { type Core, byteOffsetOf } from '../core.ts';
import type {
  EvaluationProfile,
  FrameKind,
  ProfileFrame,
  ProfileFunction,
  ProfilePlace,
  ProfileStack,
} from './profile.ts';

/** How an evaluation is profiled. */
export type ProfilerOptions = {
  /** Looks at the stack a second; 0 looks at every call. */
  readonly frequency: number;
  /**
   * Milliseconds of whatever clock, called at every call: the cheaper, the better. `performance.now` without it, of which
   * a machine may want much.
   */
  readonly nowMs?: (() => number) | undefined;
};

/** The numbers of the core. */
const kinds = [
  'lambda',
  'builtin',
  'functor',
  'derivation',
  'collector',
] as const satisfies readonly FrameKind[];
const headerWords = 3;
const frameWords = 3;
const entryWords = 4;

type Node = {
  readonly outer: Node | undefined;
  readonly kind: number;
  readonly subject: number;
  readonly site: number;
  /** By position of the instruction. */
  readonly ticks: Map<number, number>;
  readonly inner: Map<number, Map<number, Node>>;
};

export class CoreProfiler {
  readonly #tickMs: number;
  readonly #nowMs: () => number;
  readonly #root: Node = newNode(undefined, { kind: 0, subject: 0, site: 0 });
  #isRunning = false;
  /** What the clock said when it began to run, less what it had counted before. */
  #originMs = 0;
  #stoppedMs = 0;
  #calls = 0;

  constructor({ frequency, nowMs = () => performance.now() }: ProfilerOptions) {
    this.#tickMs = frequency === 0 ? 0 : 1000 / frequency;
    this.#nowMs = nowMs;
  }

  /** The core's clock. */
  readonly ticks = (): number => {
    if (this.#tickMs === 0) return ++this.#calls;
    const ms = this.#isRunning ? this.#nowMs() - this.#originMs : this.#stoppedMs;
    return Math.floor(ms / this.#tickMs);
  };

  start(): void {
    if (this.#isRunning) return;
    this.#originMs = this.#nowMs() - this.#stoppedMs;
    this.#isRunning = true;
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#stoppedMs = this.#nowMs() - this.#originMs;
    this.#isRunning = false;
  }

  /** Takes the samples that are there. */
  take(core: Core): void {
    const { exports } = core;
    const start = byteOffsetOf(exports.profileSamples());
    const words = new Uint32Array(core.bytes.buffer, start, exports.profileSamplesSize() >>> 2);
    for (let at = 0; at < words.length;) {
      const frames = words[at + 1] ?? 0;
      this.#add(words.subarray(at, at + headerWords + frames * frameWords));
      at += headerWords + frames * frameWords;
    }
    exports.dropProfileSamples();
  }

  #add(sample: Uint32Array): void {
    const [ticks = 0, , at = 0] = sample;
    let node = this.#root;
    for (let frame = sample.length - frameWords; frame >= headerWords; frame -= frameWords) {
      const [kind = 0, subject = 0, site = 0] = sample.subarray(frame, frame + frameWords);
      node = innerNode(node, { kind, subject, site });
    }
    node.ticks.set(at, (node.ticks.get(at) ?? 0) + ticks);
  }

  /** All that was seen so far. */
  profile(core: Core, locate: (position: number) => Position | undefined): EvaluationProfile {
    this.take(core);
    const names = new ProfileNames(core, locate);
    const calls = new Map<string, number>();
    for (const [kind, address, count] of countedCalls(core)) {
      const { id } = names.function(kind, address);
      calls.set(id, (calls.get(id) ?? 0) + count);
    }
    const stacks = stacksIn(this.#root, names);
    return { tickMs: this.#tickMs, stacks, calls, functions: names.functions };
  }
}

type NodeFrame = Pick<Node, 'kind' | 'subject' | 'site'>;

function newNode(outer: Node | undefined, frame: NodeFrame): Node {
  return { outer, ...frame, ticks: new Map(), inner: new Map() };
}

function innerNode(outer: Node, frame: NodeFrame): Node {
  const { kind, subject, site } = frame;
  // Subjects of different kinds can be equal numbers: the kind is in the lowest bits of a number that stays exact.
  const key = subject * 8 + kind;
  let sites = outer.inner.get(key);
  if (sites === undefined) outer.inner.set(key, (sites = new Map<number, Node>()));
  let node = sites.get(site);
  if (node === undefined) sites.set(site, (node = newNode(outer, frame)));
  return node;
}

/** Stacks may be thousands of frames deep: nothing here recurses. */
function stacksIn(root: Node, names: ProfileNames): readonly ProfileStack[] {
  const stacks: ProfileStack[] = [];
  const pending: Node[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.ticks.size > 0) {
      const frames = framesOf(node, names);
      for (const [at, ticks] of node.ticks) stacks.push({ frames, at: names.place(at), ticks });
    }
    for (const sites of node.inner.values()) pending.push(...sites.values());
  }
  return stacks;
}

function framesOf(leaf: Node, names: ProfileNames): readonly ProfileFrame[] {
  const frames: ProfileFrame[] = [];
  for (let node = leaf; node.outer !== undefined; node = node.outer) {
    frames.push({ function: names.function(node.kind, node.subject), site: names.place(node.site) });
  }
  return frames.toReversed();
}

/** Kind, address, number. */
function countedCalls(core: Core): readonly (readonly [number, number, number])[] {
  const { exports } = core;
  const start = byteOffsetOf(exports.profileFunctions());
  const words = new Uint32Array(core.bytes.buffer, start, exports.profileFunctionsEntries() * entryWords);
  const counted: [number, number, number][] = [];
  for (let at = 0; at < words.length; at += entryWords) {
    const [address = 0, calls = 0] = words.subarray(at, at + 2);
    if (calls > 0) counted.push([exports.profileCountedKind(address), address, calls]);
  }
  return counted;
}

/** Names and places of what samples hold as numbers. */
class ProfileNames {
  readonly functions = new Map<string, ProfileFunction>();
  readonly #core: Core;
  readonly #locate: (position: number) => Position | undefined;
  readonly #places = new Map<number, ProfilePlace | undefined>();
  readonly #known = new Map<number, ProfileFunction>();

  constructor(core: Core, locate: (position: number) => Position | undefined) {
    this.#core = core;
    this.#locate = locate;
  }

  place(position: number): ProfilePlace | undefined {
    if (this.#places.has(position)) return this.#places.get(position);
    const place = placeOf(this.#locate(position));
    this.#places.set(position, place);
    return place;
  }

  function(kindNumber: number, subject: number): ProfileFunction {
    const key = subject * 8 + kindNumber;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { exports } = this.#core;
    const kind = kinds[kindNumber] ?? 'lambda';
    const name = exports.profileName(kindNumber, subject);
    const made = {
      id: `${kind} ${subject}`,
      kind,
      name: name === 0 ? undefined : decodeUtf8(this.#core.read(name)),
      place: this.place(exports.profilePosition(kindNumber, subject)),
    };
    this.#known.set(key, made);
    this.functions.set(made.id, made);
    return made;
  }
}

const originNames = {
  string: '«string»',
  stdin: '«stdin»',
  internal: '«nix-internal»/derivation-internal.nix',
} as const;

function placeOf(position: Position | undefined): ProfilePlace | undefined {
  if (position === undefined) return undefined;
  const { origin, line, column } = position;
  return { file: origin.kind === 'file' ? origin.path : originNames[origin.kind], line, column };
}
