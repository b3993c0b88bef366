/** The ids of new spans. Random digits are made for many at once. */
import type { SpanContext } from '@neve/telemetry';

const blockWords = 512;
const traceDigits = 32;
const spanDigits = 16;

export class SpanIds {
  #digits = '';
  #at = 0;

  /** Sampled as its parent is: who has none cannot know, and records. */
  contextWithin(parent: SpanContext | undefined): SpanContext {
    const spanId = this.#next(spanDigits);
    if (parent === undefined) return { traceId: this.#next(traceDigits), spanId, sampled: true };
    const { traceId, sampled, traceState } = parent;
    return traceState === undefined ? { traceId, spanId, sampled } : { traceId, spanId, sampled, traceState };
  }

  /** Not all zeroes. */
  #next(length: number): string {
    if (this.#at + length > this.#digits.length) {
      const words = Uint32Array.from({ length: blockWords }, () => Math.random() * 0x1_0000_0000);
      this.#digits = Buffer.from(words.buffer).toString('hex');
      this.#at = 0;
    }
    const digits = this.#digits.slice(this.#at, this.#at + length);
    this.#at += length;
    return /[^0]/.test(digits) ? digits : this.#next(length);
  }
}
