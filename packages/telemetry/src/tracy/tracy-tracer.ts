/**
 * Spans as zones of Tracy: each track (`tracks.ts`) is a thread. Attributes and errors are the text of a zone; what happens
 * in a span is a message.
 */
import { newSpanContext, nowMs } from '../span-context.ts';
import type { Attributes, Span, SpanContext, Tracer, TracerSpanOptions } from '../span.ts';
import { spanTitle } from '../span-title.ts';
import { Tracks } from '../tracks.ts';

/** In the order of time within a thread. Times are nanoseconds since `startTime`, and begin with that. */
export type TracyEvent =
  | {
      readonly kind: 'begin';
      readonly thread: number;
      readonly spanId: string;
      /** One of few. */
      readonly name: string;
      /** The name and what it is about. */
      readonly title: string;
      readonly text: string;
      readonly time: bigint;
    }
  | {
      /** Of the newest open zone of the thread. */
      readonly kind: 'end';
      readonly thread: number;
      readonly spanId: string;
      readonly text: string;
      readonly hasFailed: boolean;
      readonly time: bigint;
    }
  | { readonly kind: 'message'; readonly thread: number; readonly text: string; readonly time: bigint };

/** Not zero, which some of Tracy takes for "never". */
export const startTime: bigint = 1_000_000n;

/** What is known of a span only at its end. */
type OpenSpan = { attributes: Attributes; hasFailed: boolean; readonly startMs: number };

export class TracyTracer implements Tracer {
  readonly #emit: (event: TracyEvent) => void;
  readonly #originMs: number = nowMs();
  readonly #tracks = new Tracks();
  readonly #threadNames = new Map<number, string>();
  readonly #open = new Map<string, OpenSpan>();
  /** Those that have ended and are still drawn. */
  readonly #late = new Map<string, OpenSpan>();

  constructor(emit: (event: TracyEvent) => void) {
    this.#emit = emit;
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const { parent, attributes = {}, kind = 'internal' } = options;
    const context = options.context ?? newSpanContext(parent);
    const { spanId } = context;
    const startMs = Math.max(options.startMs ?? nowMs(), this.#originMs);
    const { track } = this.#tracks.begin({ name, kind, spanId, parent, timeMs: startMs });
    this.#threadNames.set(track.number, track.name);
    const text = textOf(attributes);
    const title = spanTitle(name, attributes);
    this.#emit({ kind: 'begin', thread: track.number, spanId, name, title, text, time: this.#time(startMs) });
    const open = { attributes: {}, hasFailed: false, startMs };
    this.#open.set(spanId, open);
    return this.#span(context, open);
  }

  threadName(thread: number): string | undefined {
    return this.#threadNames.get(thread);
  }

  /** The time now. */
  now(): bigint {
    return this.#time(nowMs());
  }

  /** Ends what is still open. */
  endAll(): void {
    for (const spanId of this.#tracks.openSpans().toReversed()) this.#end(spanId, nowMs());
  }

  #span(context: SpanContext, open: OpenSpan): Span {
    const { spanId } = context;
    return {
      context,
      set: (attributes) => {
        open.attributes = { ...open.attributes, ...attributes };
      },
      event: (name, attributes = {}, timeMs = nowMs()) => {
        const thread = this.#tracks.trackOf(spanId)?.number;
        if (thread === undefined) return;
        const text = [name, textOf(attributes)].join('\n').trimEnd();
        this.#emit({ kind: 'message', thread, text, time: this.#time(Math.max(timeMs, open.startMs)) });
      },
      fail: (error) => {
        open.hasFailed = true;
        open.attributes = {
          ...open.attributes,
          error: error instanceof Error ? error.message : String(error),
        };
      },
      end: (timeMs = nowMs()) => this.#end(spanId, timeMs),
    };
  }

  #end(spanId: string, timeMs: number): void {
    const open = this.#open.get(spanId);
    if (open === undefined) return;
    this.#open.delete(spanId);
    this.#late.set(spanId, open);
    for (const end of this.#tracks.end(spanId, Math.max(timeMs, open.startMs))) {
      const ended = this.#late.get(end.spanId);
      this.#late.delete(end.spanId);
      this.#emit({
        kind: 'end',
        thread: end.track.number,
        spanId: end.spanId,
        text: textOf(ended?.attributes ?? {}),
        hasFailed: ended?.hasFailed ?? false,
        time: this.#time(end.timeMs),
      });
    }
  }

  #time(ms: number): bigint {
    return startTime + BigInt(Math.max(0, Math.round((ms - this.#originMs) * 1e6)));
  }
}

/** A line an attribute. */
function textOf(attributes: Attributes): string {
  return Object.entries(attributes)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${String(value)}`]))
    .join('\n');
}
