/**
 * A world that notes down what it is asked, and what it answers.
 *
 * Evaluations must not be slower for it: a path is looked up once in a map, and what is known of one outside of the store
 * is answered from there, since an evaluation sees one state of the world. Contents are copied, and hashed later in one go.
 * Signatures are taken when the evaluation has ended (`node/sign-reads.ts`).
 *
 * Questions belong to the region that is current when they are asked, whenever they are answered.
 */
import { byteKey, encodeHex } from '@neve/bytes';
import {
  type AddPathOptions,
  type AddTextOptions,
  type AddedPath,
  type Answer,
  type DirectoryEntry,
  type EvalIO,
  EvalIOError,
  type FetchRequest,
  type FetchedTree,
  type FileType,
  type HashFileOptions,
  type MessageLevel,
  type MessageSubject,
  type WriteDerivationOptions,
} from '@neve/eval';
import { ContentsToHash, type HashContents } from './contents-to-hash.ts';
import { listingText } from './listing-text.ts';
import { describeFetch, isLockedFetch } from './locked-fetch.ts';
import {
  type HeldReads,
  type PathRead,
  ReadSet,
  type Region,
  changedMeanwhile,
  isReadFailure,
  question,
  regionBits,
} from './read-set.ts';
import { storeObjectOf } from './store-objects.ts';

export type RecordingOptions = {
  readonly world: EvalIO;
  readonly storeDir: string;
  /** Whether what is added is written, and has to be there for whoever uses the result. */
  readonly writesStore: boolean;
  readonly hash: HashContents;
  /** When the evaluation begins, in ms since 1970. */
  readonly nowMs: number;
  /**
   * Whether the evaluator evaluates many things, and may ask again what it has asked long ago: then every answer is the world's, and
   * one that is another than the first was is an obstacle.
   */
  readonly asksAgain?: boolean;
};

export class RecordingIO implements EvalIO {
  /** Whose the reads are that are asked for from now on. */
  region: Region = 'own';
  readonly #world: EvalIO;
  readonly #storeDir: string;
  readonly #writesStore: boolean;
  readonly #asksAgain: boolean;
  readonly #reads = new ReadSet();
  readonly #contents: ContentsToHash;
  /** Types of paths outside of the store. */
  readonly #types = new Map<string, FileType>();
  /** What is known of paths from reads that are held, which are a part of these whoever asks again. */
  #heldTypes: ReadonlyMap<string, FileType | undefined> | undefined;
  /** What this evaluation has added, whether or not it was written. */
  readonly #added = new Set<string>();

  readonly withContents?: NonNullable<EvalIO['withContents']>;
  readonly storePathReferences?: NonNullable<EvalIO['storePathReferences']>;
  readonly realise?: NonNullable<EvalIO['realise']>;
  readonly fetch?: NonNullable<EvalIO['fetch']>;
  readonly hashBytes?: NonNullable<EvalIO['hashBytes']>;

  constructor({ world, storeDir, writesStore, hash, nowMs, asksAgain = false }: RecordingOptions) {
    this.#world = world;
    this.#storeDir = storeDir;
    this.#writesStore = writesStore;
    this.#asksAgain = asksAgain;
    this.#contents = new ContentsToHash(hash);
    this.#reads.startedMs = nowMs;
    const withContents = world.withContents?.bind(world);
    const storePathReferences = world.storePathReferences?.bind(world);
    const realise = world.realise?.bind(world);
    const fetch = world.fetch?.bind(world);
    if (withContents) {
      this.withContents = (path, use) => this.#readContents(path, use, (take) => withContents(path, take));
    }
    if (storePathReferences) {
      this.storePathReferences = (path) => this.#references(path, () => storePathReferences(path));
    }
    if (realise) this.realise = (context) => this.#realise(() => realise(context));
    if (fetch) this.fetch = (request) => this.#fetch(request, () => fetch(request));
    if (world.hashBytes) this.hashBytes = world.hashBytes.bind(world);
  }

  /** All that was read so far, without signatures. The evaluation may go on, and this be asked again. */
  finish(): ReadSet {
    this.#contents.hashAll();
    return this.#reads;
  }

  /** Adds what an image that is used has read, which was found to hold: the evaluation depends on it too. */
  include(reads: ReadSet, region: Region): void {
    this.#contents.hashAll();
    this.#reads.include(reads, region);
    for (const path of reads.made) this.#added.add(path);
  }

  /** The same for reads in their encoded form: the shared region depends on them too. */
  hold(reads: HeldReads): void {
    this.#reads.hold(reads);
    if (!this.#asksAgain) this.#heldTypes = new Map([...(this.#heldTypes ?? []), ...reads.types()]);
    for (const path of reads.made) this.#added.add(path);
  }

  /** Something was written that another evaluation had described: it has to be there as what is added here has. */
  noteWritten(storePath: string): void {
    this.#noteAdded(storePath);
  }

  readFile(path: Uint8Array): Answer<Uint8Array> {
    return this.#readContents(
      path,
      (contents) => contents,
      (take) => {
        const contents = this.#world.readFile(path);
        return contents instanceof Promise ? contents.then(take) : take(contents);
      },
    );
  }

  fileType(path: Uint8Array): Answer<FileType | undefined> {
    const key = byteKey(path);
    const held = this.#heldTypes?.get(key);
    if (held !== undefined || this.#heldTypes?.has(key) === true) return held;
    const known = this.#asksAgain ? undefined : this.#types.get(key);
    if (known === undefined) return this.#askType(path, key);
    this.#reads.at(key).asked |= question.type * regionBits[this.region];
    return known;
  }

  readDirectory(path: Uint8Array): Answer<readonly DirectoryEntry[]> {
    const key = byteKey(path);
    return this.#ask(key, () => this.#world.readDirectory(path), {
      took: (entries, bit) => {
        if (this.#isOfObject(key, bit)) return;
        const read = this.#read(key, question.listing * bit);
        if (read.listing !== undefined && !this.#asksAgain) return;
        // It may be asked for again before the digest is there.
        this.#contents.add(listingText(entries), (digest) => this.#note(read, { key, listing: digest }));
      },
      failed: (failure, bit) =>
        this.#note(this.#read(key, question.listing * bit), { key, listing: failure }),
    });
  }

  readLink(path: Uint8Array): Answer<Uint8Array> {
    const key = byteKey(path);
    return this.#ask(key, () => this.#world.readLink(path), {
      took: (target, bit) => {
        if (this.#isOfObject(key, bit)) return;
        this.#note(this.#read(key, question.target * bit), { key, target: latin1(target) });
      },
    });
  }

  environmentVariable(name: Uint8Array): Uint8Array | undefined {
    const value = this.#world.environmentVariable(name);
    this.#reads.noteVariable(latin1(name), value && latin1(value), regionBits[this.region]);
    return value;
  }

  currentTime(): number {
    this.#reads.clock |= regionBits[this.region];
    return this.#world.currentTime();
  }

  addPathToStore(options: AddPathOptions): Answer<AddedPath> {
    const { path, method, hashAlgorithm: algorithm } = options;
    const key = byteKey(path);
    return this.#ask(key, () => this.#world.addPathToStore(options), {
      took: ({ storePath, digest }, bit) => {
        this.#noteAdded(storePath);
        if (this.#isOfObject(key, bit)) return;
        const accepted = options.accepted?.paths?.();
        if (options.accepted !== undefined && accepted === undefined) {
          this.#reads.noteObstacle(`it adds '${key}' to the store with a filter that cannot be kept`, bit);
        } else {
          const names = accepted && Array.from(accepted, byteKey);
          this.#reads.noteTree(
            { path: key, method, algorithm, accepted: names, digest: encodeHex(digest) },
            bit,
          );
        }
      },
    });
  }

  hashFile(options: HashFileOptions): Answer<Uint8Array> {
    const key = byteKey(options.path);
    return this.#ask(key, () => this.#world.hashFile(options), {
      took: (digest, bit) => {
        if (this.#isOfObject(key, bit)) return;
        const tree = { path: key, method: 'flat', algorithm: options.hashAlgorithm } as const;
        this.#reads.noteTree({ ...tree, accepted: undefined, digest: encodeHex(digest) }, bit);
      },
    });
  }

  addTextToStore(options: AddTextOptions): Answer<string> {
    return this.#ask(options.name, () => this.#world.addTextToStore(options), {
      took: (storePath) => this.#noteAdded(storePath),
    });
  }

  writeDerivation(options: WriteDerivationOptions): Answer<void> {
    this.#noteAdded(options.storePath);
    return this.#world.writeDerivation(options);
  }

  isValidStorePath(path: Uint8Array): Answer<boolean> {
    const key = byteKey(path);
    return this.#ask(key, () => this.#world.isValidStorePath(path), {
      took: (isValid, bit) => this.#noteObject(key, { bit, isThere: isValid }),
    });
  }

  toStorePath(path: Uint8Array): Answer<string> {
    return this.#ask(byteKey(path), () => this.#world.toStorePath(path), {
      took: (storePath, bit) => this.#noteObject(storePath, { bit, isThere: undefined }),
    });
  }

  // oxlint-disable-next-line eslint/max-params -- as `EvalIO` has it
  message(level: MessageLevel, text: Uint8Array, about?: MessageSubject): void {
    this.#reads.messages.push({
      level,
      text: Uint8Array.from(text),
      about,
      regions: regionBits[this.region],
    });
    this.#world.message(level, text, about);
  }

  // oxlint-disable-next-line eslint/max-params -- as `withContents`, and by what
  #readContents<T>(
    path: Uint8Array,
    use: (contents: Uint8Array) => T,
    readBy: (take: (contents: Uint8Array) => T) => Answer<T>,
  ): Answer<T> {
    const key = byteKey(path);
    const wanted = this.#objectOf(key) === undefined;
    const bit = regionBits[this.region];
    const take = (contents: Uint8Array): T => {
      if (wanted) this.#noteContents(key, { bit, contents });
      return use(contents);
    };
    return this.#ask(key, () => readBy(take), {
      took: () => void this.#isOfObject(key, bit),
      failed: (failure) => this.#note(this.#read(key, question.contents * bit), { key, contents: failure }),
    });
  }

  #noteContents(key: string, { bit, contents }: { bit: number; contents: Uint8Array }): void {
    const read = this.#read(key, question.contents * bit);
    if (read.contents !== undefined && !this.#asksAgain) return;
    this.#contents.add(contents, (digest) => this.#note(read, { key, contents: digest }));
  }

  #askType(path: Uint8Array, key: string): Answer<FileType | undefined> {
    return this.#ask(key, () => this.#world.fileType(path), {
      took: (type, bit) => {
        const object = this.#objectOf(key);
        if (object !== undefined) {
          // What is not in an object that is there, is not in it for ever.
          const isThere = type !== undefined || (object === key ? false : undefined);
          this.#noteObject(object, { bit, isThere });
          return;
        }
        const seen = type === 'executable' ? 'regular' : (type ?? 'absent');
        this.#note(this.#read(key, question.type * bit), { key, type: seen });
        if (type !== undefined) this.#types.set(key, type);
      },
    });
  }

  #references(
    path: string,
    ask: () => Answer<readonly string[] | undefined>,
  ): Answer<readonly string[] | undefined> {
    return this.#ask(path, ask, {
      took: (found, bit) => this.#noteObject(path, { bit, isThere: found !== undefined }),
    });
  }

  #realise(ask: () => Answer<readonly string[]>): Answer<readonly string[]> {
    return this.#ask('what a string refers to', ask, {
      took: (paths, bit) => {
        for (const path of paths) {
          if (!this.#added.has(path)) this.#noteObject(path, { bit, isThere: true });
        }
      },
    });
  }

  #fetch(request: FetchRequest, ask: () => Answer<FetchedTree>): Answer<FetchedTree> {
    return this.#ask(describeFetch(request), ask, {
      took: ({ storePath }, bit) => {
        if (isLockedFetch(request)) this.#noteObject(storePath, { bit, isThere: true });
        else this.#reads.noteObstacle(`it fetches ${describeFetch(request)}, which is not locked`, bit);
      },
    });
  }

  /** Asks, and notes the answer. A failure that cannot be asked for again is an obstacle. */
  // oxlint-disable-next-line eslint/max-params -- of what, how, and what then
  #ask<T>(
    what: string,
    ask: () => Answer<T>,
    notes: {
      readonly took: (value: T, bit: number) => void;
      readonly failed?: (failure: string, bit: number) => void;
    },
  ): Answer<T> {
    const bit = regionBits[this.region];
    const took = (value: T): T => {
      notes.took(value, bit);
      return value;
    };
    const failed = (error: unknown): never => {
      if (!(error instanceof EvalIOError)) throw error;
      const isAnswer = isReadFailure(error.code);
      const object = this.#objectOf(what);
      // The object is not there, or it will never have it.
      if (isAnswer && object !== undefined) this.#noteObject(object, { bit, isThere: undefined });
      else if (isAnswer && notes.failed !== undefined) notes.failed(`failed:${error.code}`, bit);
      else this.#reads.noteObstacle(`${what}: ${error.message}`, bit);
      throw error;
    };
    try {
      const answer = ask();
      return answer instanceof Promise ? answer.then(took, failed) : took(answer);
    } catch (error) {
      return failed(error);
    }
  }

  #read(key: string, asked: number): PathRead {
    const read = this.#reads.at(key);
    read.asked |= asked;
    return read;
  }

  #note(
    read: PathRead,
    {
      key,
      ...answers
    }: { key: string } & Partial<Pick<PathRead, 'type' | 'contents' | 'listing' | 'target'>>,
  ): void {
    if (!this.#reads.noteAnswers(read, answers)) {
      this.#reads.noteObstacle(changedMeanwhile(key), regionBits.own | regionBits.shared);
    }
  }

  #objectOf(key: string): string | undefined {
    return storeObjectOf(key, this.#storeDir);
  }

  /** Whether a path is in an object of the store, which then is what has been read. */
  #isOfObject(key: string, bit: number): boolean {
    const object = this.#objectOf(key);
    if (object === undefined) return false;
    this.#noteObject(object, { bit, isThere: true });
    return true;
  }

  #noteObject(path: string, { bit, isThere }: { bit: number; isThere: boolean | undefined }): void {
    const object = this.#objectOf(path);
    if (object !== undefined) this.#reads.noteObject(object, { bit, isThere });
    else if (isThere !== undefined) {
      this.#reads.noteObstacle(`'${path}' is in the store by another name than objects have`, bit);
    }
  }

  #noteAdded(storePath: string): void {
    this.#added.add(storePath);
    if (this.#writesStore) this.#reads.made.add(storePath);
  }
}

/** One character a byte. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
