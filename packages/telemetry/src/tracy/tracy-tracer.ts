/**
 * Spans as zones of Tracy: each track (`tracks.ts`) is a thread. Attributes and errors are the text of a zone; what happens
 * in a span is a message.
 */
import { DrawnSpans } from '../drawn-spans.ts';
import { nowMs } from '../span-context.ts';
import type { Attributes, Span, Tracer, TracerSpanOptions } from '../span.ts';
import { spanTitle } from '../span-title.ts';

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

export class TracyTracer implements Tracer {
  readonly #emit: (event: TracyEvent) => void;
  readonly #originMs: number = nowMs();
  readonly #spans: DrawnSpans;
  readonly #threadNames = new Map<number, string>();

  constructor(emit: (event: TracyEvent) => void) {
    this.#emit = emit;
    this.#spans = new DrawnSpans({
      originMs: this.#originMs,
      drawEvent: ({ track, name, attributes, timeMs }) => {
        const text = [name, textOf(attributes)].join('\n').trimEnd();
        emit({ kind: 'message', thread: track.number, text, time: this.#time(timeMs) });
      },
      drawEnd: ({ track, spanId, timeMs, attributes, hasFailed }) => {
        const at = { thread: track.number, spanId, time: this.#time(timeMs) };
        emit({ kind: 'end', ...at, text: textOf(attributes), hasFailed });
      },
    });
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const { attributes = {} } = options;
    const { span, context, startMs, track } = this.#spans.begin(name, options);
    this.#threadNames.set(track.number, track.name);
    const text = textOf(attributes);
    const title = spanTitle(name, attributes);
    const at = { thread: track.number, spanId: context.spanId, time: this.#time(startMs) };
    this.#emit({ kind: 'begin', ...at, name, title, text });
    return span;
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
    this.#spans.endAll();
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
