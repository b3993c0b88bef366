/**
 * The image of an evaluation: it goes on from one that was kept, and when it has made much that others can use, keeps a new
 * one. With it is kept what was described to a store on the way: one that is opened later has to hear of it, and into a directory
 * that is the store is written what is needed of it.
 */
import { concatBytes } from '@neve/bytes';
import type { Evaluator } from '@neve/eval';
import { ImageError } from '@neve/eval-images';
import type { FoundImage, OpenImage } from '@neve/eval-images/node';
import { type Added, decodeDescribed, encodeDescribed } from '@neve/eval-store/node';
import type { EvaluationHooks } from '../evaluate-command.ts';
import type { ImagePlace } from './image-place.ts';
import { ImageWanted } from './image-wanted.ts';
import type { NotedEvaluation } from './noted-evaluation.ts';

/** What takes less is evaluated again as quickly. */
const worthImageMs = 50;
/**
 * An image is replaced when a quarter of what it has has come to it, and so much at least. Larger images than the limit are
 * not made: each of those who go on from one reads all of it.
 */
const worthAddedBytes = 8 << 20;
const maxImageBytes = 160 << 20;

/** What an image has to do with the file of a package tree that an evaluation comes to first. */
type TreeFileOptions = {
  /** The evaluation goes on from the image of that file, if there is one. Without it, it begins without. */
  readonly treeFile?: string | undefined;
  /** Whether it may end, with `ImageWanted`, when it comes to another one: always, without it. */
  readonly mayBeginAgain?: (() => boolean) | undefined;
};

export class EvaluationImage implements Disposable {
  readonly #place: ImagePlace;
  readonly #evaluation: NotedEvaluation;
  readonly #opened: OpenImage | undefined;
  readonly #change: string | undefined;
  readonly #mayBeginAgain: () => boolean;
  readonly #startedMs = performance.now();
  #treeFile: string | undefined;
  /** Whether it goes on from the image of another file. */
  #isOfOther = false;
  #evaluator: Evaluator | undefined;

  private constructor(
    place: ImagePlace,
    evaluation: NotedEvaluation,
    {
      found,
      treeFile,
      mayBeginAgain,
    }: {
      found: FoundImage;
      treeFile: string | undefined;
      mayBeginAgain: () => boolean;
    },
  ) {
    this.#place = place;
    this.#evaluation = evaluation;
    this.#opened = found.kind === 'kept' ? found.opened : undefined;
    this.#change = found.kind === 'changed' ? found.change : undefined;
    this.#treeFile = treeFile;
    this.#mayBeginAgain = mayBeginAgain;
  }

  static async open(
    place: ImagePlace,
    evaluation: NotedEvaluation,
    { treeFile, mayBeginAgain = () => true }: TreeFileOptions = {},
  ): Promise<EvaluationImage> {
    const found: FoundImage = treeFile === undefined ? { kind: 'none' } : await place.find(treeFile);
    return new EvaluationImage(place, evaluation, { found, treeFile, mayBeginAgain });
  }

  get hooks(): EvaluationHooks {
    return {
      isResumed: () => this.isResumed,
      kept: this.#opened?.image,
      images: {
        beforeTree: (file) => this.#noteTreeFile(file),
        enterRegion: (region) => {
          const { recording } = this.#evaluation;
          if (recording !== undefined) recording.region = region;
        },
      },
      onEvaluator: (evaluator) => {
        this.#evaluator = evaluator;
        // What the image depends on, the evaluation depends on as well.
        const { recording } = this.#evaluation;
        if (this.isResumed && recording !== undefined) this.#opened?.noteReads(recording);
      },
    };
  }

  /** The file of a package tree that the evaluation has come to first; until then, the one that it was thought to. */
  get treeFile(): string | undefined {
    return this.#treeFile;
  }

  #noteTreeFile(file: string): void {
    if (file === this.#treeFile) return;
    const isOther = this.#opened !== undefined;
    if ((isOther || this.#place.has(file)) && this.#mayBeginAgain()) throw new ImageWanted(file);
    this.#isOfOther = isOther;
    this.#treeFile = file;
  }

  /** Whether there is an image to go on from. */
  get isFound(): boolean {
    return this.#opened !== undefined;
  }

  /** Whether the evaluation goes on from an image that an error may come from. */
  get isInDoubt(): boolean {
    return this.isResumed && this.#evaluator?.imageUse().isInDoubt === true;
  }

  /** How large what an image would have is at most. */
  get sharedBytes(): number {
    const use = this.#evaluator?.imageUse();
    return use === undefined ? 0 : use.keptBytes + use.addedBytes;
  }

  /** Whether the evaluation goes on from an image. */
  get isResumed(): boolean {
    return this.#evaluator?.imageUse().isResumed === true;
  }

  /** What was described when what is in the image was evaluated; nothing if that is not used. Throws `ImageError`. */
  describedBefore(): Iterable<Added> {
    return decodeDescribed(this.#describedBytes());
  }

  /** Whether there is something to keep that is worth it. `tookMs` is how long was evaluated. */
  isWorthKeeping(tookMs = performance.now() - this.#startedMs): boolean {
    const use = this.#evaluator?.imageUse();
    if (use === undefined || use.isInDoubt || use.dependsOnClock || this.#isOfOther) return false;
    if (tookMs < (this.#place.keepsEverything ? 0 : worthImageMs)) return false;
    if (!use.isResumed) return use.addedBytes > 0;
    // At a guess, half of what has come to it is garbage.
    if (use.keptBytes + use.addedBytes / 2 > maxImageBytes) return false;
    const isOfUse = use.found > 0 || use.made === 0;
    return !isOfUse || use.addedBytes >= Math.max(worthAddedBytes, use.keptBytes / 4);
  }

  /** Whether there is one that holds, though this evaluation has not gone on from one. */
  async isSuperfluous(): Promise<boolean> {
    if (this.isResumed || this.#treeFile === undefined) return false;
    const found = await this.#place.find(this.#treeFile);
    if (found.kind === 'kept') found.opened[Symbol.dispose]();
    return found.kind === 'kept';
  }

  /** After the evaluation has succeeded, and its result is kept: nothing more can be evaluated. */
  keep(tookMs?: number): void {
    const { recording, knownSignature } = this.#evaluation;
    if (this.#evaluator === undefined || recording === undefined || this.#treeFile === undefined) return;
    if (!this.isWorthKeeping(tookMs)) return;
    const reads = recording.finish().of('shared');
    if (this.#place.sign(reads, knownSignature) !== undefined) return;
    const before = this.#describedForNext();
    if (before === undefined) return;
    const image = this.#evaluator.takeImage();
    const sizeBytes = image.parts.reduce((sum, { length }) => sum + length, 0);
    // What is there stays: it has what was evaluated first, such as the standard environment.
    if (this.isResumed && sizeBytes > maxImageBytes) return;
    const described = concatBytes([before, encodeDescribed(this.#evaluation.described.shared)]);
    this.#place.keep(this.#treeFile, { reads, image, described, change: this.#change });
  }

  /** Undefined when the image is damaged there. */
  #describedForNext(): Uint8Array | undefined {
    try {
      return this.#describedBytes();
    } catch (error) {
      if (error instanceof ImageError) return undefined;
      throw error;
    }
  }

  #describedBytes(): Uint8Array {
    return this.isResumed && this.#opened !== undefined ? this.#opened.described() : new Uint8Array();
  }

  [Symbol.dispose](): void {
    this.#opened?.[Symbol.dispose]();
  }
}
