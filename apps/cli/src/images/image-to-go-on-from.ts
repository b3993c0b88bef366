/** An image that an evaluator goes on from which keeps none: what it reads is not noted down. */
import type { OpenImage } from '@neve/eval-images/node';
import { type Added, decodeDescribed } from '@neve/eval-store/node';
import type { SessionOptions } from '../evaluation-session.ts';
import { type ImageLookupInput, lookUpImage } from './evaluation-image.ts';
import { imageWishes } from './image-cache.ts';

export class ImageToGoOnFrom implements Disposable {
  readonly #opened: OpenImage;

  private constructor(opened: OpenImage) {
    this.#opened = opened;
  }

  /** Undefined when there is none, or nobody wants one. */
  static async find(input: ImageLookupInput): Promise<ImageToGoOnFrom | undefined> {
    if (!imageWishes(input.settings, input.caller.environment).isOn) return undefined;
    const lookup = await lookUpImage(input);
    return lookup?.found.kind === 'kept' ? new ImageToGoOnFrom(lookup.found.opened) : undefined;
  }

  /** For the evaluator, and the store behind it. What was described is read when the store is opened, until this is disposed of. */
  get hooks(): Pick<SessionOptions, 'images' | 'descriptions'> {
    return {
      images: { kept: this.#opened.image },
      descriptions: { described: (): Iterable<Added> => decodeDescribed(this.#opened.described()) },
    };
  }

  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]();
  }
}
