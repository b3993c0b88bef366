/**
 * The image of an evaluation: it goes on from one that was kept, and when it has made much that others can use, keeps a new
 * one. With it is kept what was described to a store on the way: one that is opened later has to hear of it, and into a directory
 * that is the store is written what is needed of it.
 */
import { concatBytes } from '@neve/bytes';
import { type Evaluator, imageSettings } from '@neve/eval';
import { ImageError } from '@neve/eval-images';
import { type FoundImage, KeptImages, type OpenImage } from '@neve/eval-images/node';
import { type Added, decodeDescribed, encodeDescribed } from '@neve/eval-store/node';
import type { CommandInput, EvaluationHooks } from '../evaluate-command.ts';
import { type SessionSettings, coreFile, evaluatorSettings, hostFiles } from '../evaluation-session.ts';
import { type NotedEvaluation, fileWorldOf } from './noted-evaluation.ts';
import { imageWishes, openImageFolder } from './image-cache.ts';
import { coreVersion } from './evaluation-key.ts';

/** What takes less is evaluated again as quickly. */
const worthImageMs = 200;
/**
 * An image is replaced when a quarter of what it has has come to it, and so much at least. Larger images than the limit are
 * not made: each of those who go on from one reads all of it.
 */
const worthAddedBytes = 8 << 20;
const maxImageBytes = 160 << 20;

export class EvaluationImage implements Disposable {
  readonly #images: KeptImages;
  readonly #key: string;
  readonly #evaluation: NotedEvaluation;
  readonly #opened: OpenImage | undefined;
  readonly #change: string | undefined;
  readonly #worthMs: number;
  readonly #startedMs = performance.now();
  #evaluator: Evaluator | undefined;

  constructor(options: {
    images: KeptImages;
    key: string;
    evaluation: NotedEvaluation;
    opened: OpenImage | undefined;
    change: string | undefined;
    worthMs: number;
  }) {
    this.#images = options.images;
    this.#key = options.key;
    this.#evaluation = options.evaluation;
    this.#opened = options.opened;
    this.#change = options.change;
    this.#worthMs = options.worthMs;
  }

  get hooks(): EvaluationHooks {
    return {
      isResumed: () => this.isResumed,
      images: {
        kept: this.#opened?.image,
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
    if (use === undefined || use.isInDoubt || use.dependsOnClock || tookMs < this.#worthMs) return false;
    if (!use.isResumed) return use.addedBytes > 0;
    const isOfUse = use.found > 0 || use.made === 0;
    return !isOfUse || use.addedBytes >= Math.max(worthAddedBytes, use.keptBytes / 4);
  }

  /** Whether there is one that holds, though this evaluation has not gone on from one. */
  async isSuperfluous(): Promise<boolean> {
    if (this.isResumed || !this.#images.has(this.#key)) return false;
    const found = await this.#images.find(this.#key);
    if (found.kind === 'kept') found.opened[Symbol.dispose]();
    return found.kind === 'kept';
  }

  /** After the evaluation has succeeded, and its result is kept: nothing more can be evaluated. */
  keep(tookMs?: number): void {
    const { recording, knownSignature } = this.#evaluation;
    if (this.#evaluator === undefined || recording === undefined || !this.isWorthKeeping(tookMs)) return;
    const reads = recording.finish().of('shared');
    if (this.#images.sign(reads, knownSignature) !== undefined) return;
    const before = this.#describedForNext();
    if (before === undefined) return;
    const image = this.#evaluator.takeImage();
    const sizeBytes = image.parts.reduce((sum, { length }) => sum + length, 0);
    // What is there stays: it has what was evaluated first, such as the standard environment.
    if (this.isResumed && sizeBytes > maxImageBytes) return;
    const described = concatBytes([before, encodeDescribed(this.#evaluation.described.shared)]);
    this.#images.keep(this.#key, { reads, image, described, change: this.#change });
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

/** Undefined where there can be no image. One that is there is not looked at if `goesOn` is false. */
export async function openEvaluationImage(
  input: ImageLookupInput,
  evaluation: NotedEvaluation,
  { goesOn = true } = {},
): Promise<EvaluationImage | undefined> {
  const { settings, caller } = input;
  const place = imagePlace(input);
  if (place === undefined) return undefined;
  const { images, key } = place;
  const found: FoundImage = goesOn ? await images.find(key) : { kind: 'none' };
  return new EvaluationImage({
    ...{ images, key, evaluation },
    opened: found.kind === 'kept' ? found.opened : undefined,
    change: found.kind === 'changed' ? found.change : undefined,
    worthMs: imageWishes(settings, caller.environment).worthKeepingMs === 0 ? 0 : worthImageMs,
  });
}

export type ImageLookupInput = SessionSettings & Pick<CommandInput, 'build'>;

type ImageLookup = { readonly images: KeptImages; readonly key: string; readonly found: FoundImage };

/** The image that an evaluation could go on from, for which whoever gets it disposes of it. Undefined as above. */
export async function lookUpImage(input: ImageLookupInput): Promise<ImageLookup | undefined> {
  const place = imagePlace(input);
  return place && { ...place, found: await place.images.find(place.key) };
}

/** Whether there may be an image to go on from. */
export function hasImage(input: ImageLookupInput): boolean {
  const place = imagePlace(input);
  return place?.images.has(place.key) === true;
}

function imagePlace(input: ImageLookupInput): Omit<ImageLookup, 'found'> | undefined {
  const { args, settings, caller, build, storeAccess } = input;
  const evaluating = evaluatorSettings(input);
  if (lints(evaluating)) return undefined;
  const folder = openImageFolder(settings, caller.environment);
  if (folder === undefined) return undefined;
  // It is asked for digests, and writes nothing.
  const world = hostFiles({ ...input, storeAccess: { kind: 'computed' } });
  // Images of evaluations into a directory are for those with a store too, which may have what the directory does not.
  const storeIsFiles = storeAccess.kind === 'computed';
  const images = new KeptImages({ folder, files: fileWorldOf({ args, caller }), world, storeIsFiles });
  const key = JSON.stringify({
    image: [...coreVersion({ build, caller }), coreFile(settings)],
    evaluator: JSON.parse(imageSettings(evaluating, world)) as unknown,
  });
  return { images, key };
}

/** Warnings of the parser are for every evaluation that reads a file. */
function lints(settings: Partial<Parameters<typeof imageSettings>[0]>): boolean {
  const { lintUrlLiterals, lintShortPathLiterals, lintAbsolutePathLiterals } = settings;
  return [lintUrlLiterals, lintShortPathLiterals, lintAbsolutePathLiterals].some(
    (level) => level !== undefined && level !== 'ignore',
  );
}
