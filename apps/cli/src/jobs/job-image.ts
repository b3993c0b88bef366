/**
 * The image of a worker: it goes on from one if there is one. If there is none, the first worker notes down what it reads until it
 * has evaluated what all jobs are in, keeps that for the others, and ends.
 */
import type { SessionOptions } from '../evaluation-session.ts';
import { EvaluationImage } from '../images/evaluation-image.ts';
import { imageWishes } from '../images/image-cache.ts';
import { type ImageLookupInput, ImagePlace } from '../images/image-place.ts';
import { NotedEvaluation, whyNotNoted } from '../images/noted-evaluation.ts';
import type { ImageUse } from './worker-protocol.ts';

type Hooks = Pick<SessionOptions, 'around' | 'images' | 'kept' | 'descriptions' | 'onEvaluator'>;

export type JobImageOptions = {
  readonly use: ImageUse;
  /** The file of a package tree that the jobs come to first; without it, it is guessed. */
  readonly treeFile?: string | undefined;
};

export class JobImage implements Disposable {
  readonly hooks: Hooks;
  readonly #image: EvaluationImage | undefined;
  readonly #isToKeep: boolean;

  private constructor(
    hooks: Hooks,
    { image, isToKeep = false }: { image?: EvaluationImage; isToKeep?: boolean } = {},
  ) {
    this.hooks = hooks;
    this.#image = image;
    this.#isToKeep = isToKeep;
  }

  /** Until `mayBeginAgain` gives false, the evaluation ends with `ImageWanted` when it comes to another file. */
  static async open(
    input: ImageLookupInput,
    { use, treeFile }: JobImageOptions,
    mayBeginAgain: () => boolean,
  ): Promise<JobImage> {
    const isOn = use !== 'none' && imageWishes(input.settings, input.caller.environment).isOn;
    const place = isOn ? ImagePlace.open(input) : undefined;
    if (place === undefined) return new JobImage({});
    const evaluation = new NotedEvaluation(input);
    const image = await EvaluationImage.open(place, evaluation, {
      treeFile: treeFile ?? place.likelyTreeFile() ?? place.lastTreeFile(),
      mayBeginAgain,
    });
    const isToKeep = use === 'use-or-keep' && !image.isFound && whyNotNoted(input) === undefined;
    const { images, kept, onEvaluator } = image.hooks;
    const hooks = {
      ...{ images, kept, onEvaluator },
      around: isToKeep ? evaluation.around : undefined,
      descriptions: {
        described: () => image.describedBefore(),
        onAdded: isToKeep ? evaluation.onAdded : undefined,
      },
    };
    return new JobImage(hooks, { image, isToKeep });
  }

  get isUsed(): boolean {
    return this.#image?.isResumed === true;
  }

  /** Whether an error may be one that there would not be without the image. */
  get isInDoubt(): boolean {
    return this.#image?.isInDoubt === true;
  }

  /** Keeps an image, if this worker is to and there is something to keep. Then nothing more can be evaluated. */
  keep(): boolean {
    if (!this.#isToKeep || this.#image === undefined || this.#image.sharedBytes === 0) return false;
    this.#image.keep();
    return true;
  }

  [Symbol.dispose](): void {
    this.#image?.[Symbol.dispose]();
  }
}
