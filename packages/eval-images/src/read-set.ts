/**
 * What an evaluation has read, as data: each question that it asked of the world with the answer that it got. When all of
 * the answers are still the same, so is what the evaluation makes of them.
 *
 * A question belongs to a region, or to both: what is shared with other evaluations (a package collection) and what is this
 * one's own, so that the shared part can hold when the own one does not.
 *
 * An answer about contents is a digest. A signature is what the system says of a file (`lstat`); while it is the same the
 * file is, if the file had been left alone for longer than its clock is coarse when the evaluation began. A signature that
 * does not prove so much is not kept.
 */
import type { EvalIOErrorCode, FileType, IngestionMethod, MessageLevel, MessageSubject } from '@neve/eval';
import type { HashAlgorithm } from '@neve/bytes';

export type Region = 'own' | 'shared';

/** A set of regions is the sum of these. */
export const regionBits: Readonly<Record<Region, number>> = { own: 1, shared: 2 };
const allRegions = 3;

/** What can be asked about a path. Times a set of regions, these are the bits of `PathRead.asked`. */
export const question: Readonly<Record<Question, number>> = { type: 1, contents: 4, listing: 16, target: 64 };
const questions = ['type', 'contents', 'listing', 'target'] as const;
export type Question = (typeof questions)[number];

/** dev, ino, size, mtime and ctime in ms, mode: as `lstat` gives them, without BigInt. */
export type Signature = readonly [number, number, number, number, number, number];

/** What programs get to see of a type; `absent` when nothing is there. */
export type SeenType = 'absent' | 'regular' | 'directory' | 'symlink' | 'unknown';

/** All that was asked about one path. */
export class PathRead {
  /** For each question the regions that asked it. */
  asked = 0;
  type: SeenType | undefined;
  /** Of the file that reading opens, links followed: SHA-256 in hexadecimal digits, or `failed:` and the reason. */
  contents: string | undefined;
  /** Of what `listingText` says, in the same form. */
  listing: string | undefined;
  /** Where a link leads, one character a byte. */
  target: string | undefined;
  signature: Signature | undefined;
  /** Of what a link leads to, where contents were asked for. */
  followed: Signature | undefined;
}

/** A path that was added to the store, or a file whose digest was asked for. */
export type TreeRead = {
  readonly path: string;
  readonly method: IngestionMethod;
  readonly algorithm: HashAlgorithm;
  /** Relative paths, with a filter. */
  readonly accepted: readonly string[] | undefined;
  /** In hexadecimal digits. */
  readonly digest: string;
  regions: number;
  /** Of all signatures in it (`node/tree-signature.ts`). */
  signature: string | undefined;
};

/** An object in the store directory. What is in it never changes, so that it is looked at as a whole. */
export type ObjectRead = {
  regions: number;
  /** Whether the answers said that it is there; undefined when they did not say. */
  isThere: boolean | undefined;
  /** Which one it is; undefined when it is not there. */
  identity: string | undefined;
};

export type VariableRead = {
  /** One character a byte; undefined when it is not set. */
  readonly value: string | undefined;
  regions: number;
};

export type MessageRead = {
  readonly level: MessageLevel;
  readonly text: Uint8Array;
  readonly about: MessageSubject | undefined;
  readonly regions: number;
};

/**
 * Reads in their encoded form, whose signatures were all found to hold, so that there is nothing to add to them. Thousands of
 * them are a part of another set without being decoded.
 */
export type HeldReads = {
  /** As `encodeReadSet` gives them. */
  readonly encoded: Uint8Array;
  /** What is written for whoever uses them. */
  readonly made: readonly string[];
  /** How many there are. */
  readonly count: number;
  /** What is at the paths, by `byteKey`; undefined where nothing is. */
  readonly types: () => ReadonlyMap<string, FileType | undefined>;
  /** Undefined when they are damaged. */
  readonly decode: () => ReadSet | undefined;
};

export class ReadSet {
  /** By `byteKey` of the path. */
  readonly paths: Map<string, PathRead> = new Map<string, PathRead>();
  readonly trees: Map<string, TreeRead> = new Map<string, TreeRead>();
  /** By the path of the object. */
  readonly objects: Map<string, ObjectRead> = new Map<string, ObjectRead>();
  /** By the name, one character a byte. */
  readonly variables: Map<string, VariableRead> = new Map<string, VariableRead>();
  /** Regions that asked for the time. */
  clock = 0;
  /** Why it cannot be told whether the reads still hold, with the regions that cannot. */
  readonly obstacles: Map<string, number> = new Map<string, number>();
  /** Store paths that were written, and have to be there for who uses the result. */
  readonly made: Set<string> = new Set<string>();
  readonly messages: MessageRead[] = [];
  /** When the evaluation began, in ms since 1970. */
  startedMs = 0;
  /** Sets that are a part of this one, of the shared region. Whoever looks at all reads calls `settle` first. */
  readonly held: HeldReads[] = [];

  /** Why it can never be known that these reads hold; undefined when it can. */
  obstacle(): string | undefined {
    if (this.clock !== 0) return 'it asks for the time (builtins.currentTime)';
    const [first] = this.obstacles.keys();
    return first;
  }

  at(key: string): PathRead {
    let read = this.paths.get(key);
    if (read === undefined) {
      read = new PathRead();
      this.paths.set(key, read);
    }
    return read;
  }

  /** False when the world has answered otherwise before: then there is no one state that was read. */
  noteAnswers(read: PathRead, answers: Partial<Pick<PathRead, Question>>): boolean {
    const differs = questions.some(
      (it) => read[it] !== undefined && answers[it] !== undefined && read[it] !== answers[it],
    );
    read.type ??= answers.type;
    read.contents ??= answers.contents;
    read.listing ??= answers.listing;
    read.target ??= answers.target;
    return !differs;
  }

  // oxlint-disable-next-line eslint/max-params -- a variable, and whose
  noteVariable(name: string, value: string | undefined, regions: number): void {
    const known = this.variables.get(name);
    if (known === undefined) this.variables.set(name, { value, regions });
    else known.regions |= regions;
  }

  noteTree(tree: Omit<TreeRead, 'regions' | 'signature'>, regions: number): void {
    const key = treeKey(tree);
    const known = this.trees.get(key);
    if (known === undefined) this.trees.set(key, { ...tree, regions, signature: undefined });
    else if (known.digest === tree.digest) known.regions |= regions;
    else this.noteObstacle(changedMeanwhile(tree.path), allRegions);
  }

  noteObject(path: string, { bit: regions, isThere }: { bit: number; isThere: boolean | undefined }): void {
    const known = this.objects.get(path);
    if (known === undefined) {
      this.objects.set(path, { regions, isThere, identity: undefined });
      return;
    }
    known.regions |= regions;
    if (isThere !== undefined && isThere !== (known.isThere ?? isThere)) {
      this.noteObstacle(changedMeanwhile(path), allRegions);
    }
    known.isThere ??= isThere;
  }

  noteObstacle(reason: string, regions: number): void {
    this.obstacles.set(reason, (this.obstacles.get(reason) ?? 0) | regions);
  }

  /** Adds the reads of another set, which were just found to hold, to one region of this one. */
  include(other: ReadSet, region: Region): void {
    const bit = regionBits[region];
    for (const [path, { asked, signature, followed, ...answers }] of other.paths) {
      const read = this.at(path);
      if (!this.noteAnswers(read, answers)) this.noteObstacle(changedMeanwhile(path), allRegions);
      for (const it of questions)
        if ((asked & (question[it] * allRegions)) !== 0) read.asked |= question[it] * bit;
      read.signature ??= signature;
      read.followed ??= followed;
    }
    for (const tree of other.trees.values()) {
      this.noteTree(tree, bit);
      const known = this.trees.get(treeKey(tree));
      if (known !== undefined) known.signature ??= tree.signature;
    }
    for (const [path, { isThere }] of other.objects) this.noteObject(path, { bit, isThere });
    for (const [name, { value }] of other.variables) this.noteVariable(name, value, bit);
    for (const reason of other.obstacles.keys()) this.noteObstacle(reason, bit);
    if (other.clock !== 0) this.clock |= bit;
    for (const path of other.made) this.made.add(path);
    for (const message of other.messages) this.messages.push({ ...message, regions: bit });
  }

  /** Adds reads that hold to the shared region, without a look at them. */
  hold(reads: HeldReads): void {
    this.held.push(reads);
  }

  /** Adds what `held` has to everything else. */
  settle(): void {
    for (const { decode } of this.held.splice(0)) {
      const reads = decode();
      if (reads === undefined) this.noteObstacle('what an image has read is damaged', allRegions);
      else this.include(reads, 'shared');
    }
  }

  /** How many questions there are, for the user; those of sets that are held count twice where others asked them too. */
  count(): number {
    const { paths, trees, objects, variables } = this;
    const own = paths.size + trees.size + objects.size + variables.size;
    return this.held.reduce((sum, it) => sum + it.count, own);
  }

  /** What one region has read; what was made is everybody's own, whoever goes on from a region makes what it needs of that. */
  of(region: Region): ReadSet {
    this.settle();
    const bit = regionBits[region];
    const part = new ReadSet();
    part.startedMs = this.startedMs;
    part.clock = this.clock & bit;
    for (const [path, read] of this.paths) {
      const asked = read.asked & (bit * 0x55);
      if (asked === 0) continue;
      const kept = Object.assign(new PathRead(), read, { asked });
      for (const it of questions) if ((asked & (question[it] * bit)) === 0) kept[it] = undefined;
      part.paths.set(path, kept);
    }
    for (const path of [...part.paths.keys()]) this.#addWay(path, part, bit);
    for (const [key, tree] of this.trees) if ((tree.regions & bit) !== 0) part.trees.set(key, { ...tree });
    for (const [path, it] of this.objects) if ((it.regions & bit) !== 0) part.objects.set(path, { ...it });
    for (const [name, it] of this.variables)
      if ((it.regions & bit) !== 0) part.variables.set(name, { ...it });
    for (const [reason, regions] of this.obstacles)
      if ((regions & bit) !== 0) part.obstacles.set(reason, bit);
    part.messages.push(...this.messages.filter(({ regions }) => (regions & bit) !== 0));
    return part;
  }

  /** The directories above a path are asked about once, by whoever comes first, and decide what the path is for all. */
  // oxlint-disable-next-line eslint/max-params -- of what, into what, and whose
  #addWay(path: string, part: ReadSet, bit: number): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end);
      const known = this.paths.get(above);
      if (known === undefined) continue;
      const read = part.at(above);
      const wanted = bit * (question.type + (known.target === undefined ? 0 : question.target));
      if ((read.asked & wanted) === wanted) return;
      const { type, target, signature, followed } = known;
      read.asked |= wanted;
      part.noteAnswers(read, { type, target });
      read.signature ??= signature;
      read.followed ??= followed;
    }
  }
}

/** What of a tree is the question. */
export function treeKey({
  path,
  method,
  algorithm,
  accepted,
}: Omit<TreeRead, 'regions' | 'signature'>): string {
  return JSON.stringify([path, method, algorithm, accepted]);
}

/** A failure that is met again while the world is the same, and can be looked for. */
export function isReadFailure(code: EvalIOErrorCode): boolean {
  return code === 'not-found' || code === 'is-directory' || code === 'not-a-directory';
}

export function changedMeanwhile(path: string): string {
  return `'${path}' changed while it was read`;
}
