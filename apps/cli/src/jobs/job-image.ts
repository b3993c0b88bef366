/**
 * The image of a worker: it goes on from one if there is one. If there is none, the first worker notes down what it reads until it
 * has evaluated what all jobs are in, keeps that for the others, and ends.
 */
import type { Evaluator } from '@neve/eval';
import type { SessionOptions } from '../evaluation-session.ts';
import {
  type EvaluationImage,
  type ImageLookupInput,
  openEvaluationImage,
} from '../images/evaluation-image.ts';
import { ImageToGoOnFrom } from '../images/image-to-go-on-from.ts';
import { NotedEvaluation, whyNotNoted } from '../images/noted-evaluation.ts';
import type { ImageUse } from './worker-protocol.ts';

type Hooks = Pick<SessionOptions, 'around' | 'images' | 'descriptions' | 'onEvaluator'>;

export class JobImage implements Disposable {
  readonly hooks: Hooks;
  readonly #opened: ImageToGoOnFrom | undefined;
  readonly #toKeep: EvaluationImage | undefined;
  #evaluator: Evaluator | undefined;

  private constructor(
    hooks: Hooks,
    { opened, toKeep }: { opened?: ImageToGoOnFrom | undefined; toKeep?: EvaluationImage | undefined },
  ) {
    this.hooks = {
      ...hooks,
      onEvaluator: (evaluator) => {
        this.#evaluator = evaluator;
        hooks.onEvaluator?.(evaluator);
      },
    };
    this.#opened = opened;
    this.#toKeep = toKeep;
  }

  static async open(input: ImageLookupInput, use: ImageUse): Promise<JobImage> {
    if (use === 'none') return new JobImage({}, {});
    const opened = await ImageToGoOnFrom.find(input);
    if (opened !== undefined) return new JobImage(opened.hooks, { opened });
    if (use === 'use' || whyNotNoted(input) !== undefined) return new JobImage({}, {});
    const evaluation = new NotedEvaluation(input);
    const toKeep = await openEvaluationImage(input, evaluation);
    if (toKeep === undefined) return new JobImage({}, {});
    const descriptions = { onAdded: evaluation.onAdded };
    return new JobImage({ ...toKeep.hooks, around: evaluation.around, descriptions }, { toKeep });
  }

  get isUsed(): boolean {
    return this.#opened !== undefined && this.#evaluator?.imageUse().isResumed === true;
  }

  /** Whether an error may be one that there would not be without the image. */
  get isInDoubt(): boolean {
    return this.#opened !== undefined && this.#evaluator?.imageUse().isInDoubt === true;
  }

  /** Keeps an image, if this worker is to and there is something to keep. Then nothing more can be evaluated. */
  keep(): boolean {
    if (this.#toKeep === undefined || this.#evaluator?.imageUse().addedBytes === 0) return false;
    this.#toKeep.keep();
    return true;
  }

  [Symbol.dispose](): void {
    this.#opened?.[Symbol.dispose]();
    this.#toKeep?.[Symbol.dispose]();
  }
}
