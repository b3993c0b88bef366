/**
 * Spans as receivers draw them: each on a track (`tracks.ts`), with what is known of it only at its end. An end may be drawn
 * later than it came, when later spans of the track were still open; until then what is known is kept here.
 */
import { newSpanContext, nowMs } from './span-context.ts';
import type { Attributes, Span, SpanContext, TracerSpanOptions } from './span.ts';
import { type Placed, type Track, Tracks } from './tracks.ts';

/** Times are those of `nowMs`. */
export type DrawnSpansOptions = {
  /** Nothing is drawn before. */
  readonly originMs: number;
  readonly drawEvent: (event: DrawnEvent) => void;
  readonly drawEnd: (end: DrawnSpanEnd) => void;
};

/** Something that happened within an open span. */
export type DrawnEvent = {
  readonly track: Track;
  readonly name: string;
  readonly attributes: Attributes;
  readonly timeMs: number;
};

/** `attributes` are those that were set after the beginning; an error is among them. */
export type DrawnSpanEnd = {
  readonly track: Track;
  readonly spanId: string;
  readonly timeMs: number;
  readonly attributes: Attributes;
  readonly hasFailed: boolean;
};

/** A span that has begun, and where it is to be drawn. */
export type BegunSpan = Placed & {
  readonly span: Span;
  readonly context: SpanContext;
  readonly startMs: number;
};

type KeptSpan = { attributes: Attributes; hasFailed: boolean; hasEnded: boolean; readonly startMs: number };

export class DrawnSpans {
  readonly #options: DrawnSpansOptions;
  readonly #tracks = new Tracks();
  /** Until their ends are drawn. */
  readonly #kept = new Map<string, KeptSpan>();

  constructor(options: DrawnSpansOptions) {
    this.#options = options;
  }

  begin(name: string, options: TracerSpanOptions): BegunSpan {
    const { parent, kind = 'internal' } = options;
    const context = options.context ?? newSpanContext(parent);
    const { spanId } = context;
    const startMs = Math.max(options.startMs ?? nowMs(), this.#options.originMs);
    const placed = this.#tracks.begin({ name, kind, spanId, parent, timeMs: startMs });
    const kept = { attributes: {}, hasFailed: false, hasEnded: false, startMs };
    this.#kept.set(spanId, kept);
    return { ...placed, span: this.#span(context, kept), context, startMs };
  }

  /** Ends what is still open, the newest first. */
  endAll(): void {
    for (const spanId of this.#tracks.openSpans().toReversed()) this.#end(spanId, nowMs());
  }

  #span(context: SpanContext, kept: KeptSpan): Span {
    const { spanId } = context;
    return {
      context,
      set: (attributes) => {
        kept.attributes = { ...kept.attributes, ...attributes };
      },
      event: (name, attributes = {}, timeMs = nowMs()) => {
        const track = this.#tracks.trackOf(spanId);
        if (track === undefined) return;
        this.#options.drawEvent({ track, name, attributes, timeMs: Math.max(timeMs, kept.startMs) });
      },
      fail: (error) => {
        kept.hasFailed = true;
        const message = error instanceof Error ? error.message : String(error);
        kept.attributes = { ...kept.attributes, error: message };
      },
      end: (timeMs = nowMs()) => this.#end(spanId, timeMs),
    };
  }

  #end(spanId: string, timeMs: number): void {
    const kept = this.#kept.get(spanId);
    if (kept === undefined || kept.hasEnded) return;
    kept.hasEnded = true;
    for (const end of this.#tracks.end(spanId, Math.max(timeMs, kept.startMs))) {
      const { attributes = {}, hasFailed = false } = this.#kept.get(end.spanId) ?? {};
      this.#kept.delete(end.spanId);
      this.#options.drawEnd({ ...end, attributes, hasFailed });
    }
  }
}
