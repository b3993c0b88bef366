/**
 * Spans as a trace of Chrome, which chrome://tracing, Perfetto and Speedscope read: the "JSON array format" of Google's
 * "Trace Event Format", one event a line. A file of it that ends anywhere after a line can be read, since its last bracket
 * may be missing; `end` writes it, so that a file which was ended is JSON.
 *
 *     [
 *     {"ph":"M","pid":7,"name":"process_name","args":{"name":"neve"}},          what things are called
 *     {"ph":"M","pid":7,"tid":1,"name":"thread_name","args":{"name":"builds"}},
 *     {"ph":"B","pid":7,"tid":1,"ts":12.3,"name":"…","cat":"…","args":{…}},     a span begins, in microseconds
 *     {"ph":"E","pid":7,"tid":1,"ts":15.0,"args":{…}},                          the newest one of the track ends
 *     {"ph":"i","pid":7,"tid":1,"ts":13.0,"name":"…","s":"t","args":{…}},       something happens
 *     {"ph":"s",…,"id":3,"cat":"flow"}, {"ph":"f",…,"id":3,"bp":"e"}            from a span to one on another track
 *     {"ph":"M","pid":7,"name":"trace_ended","args":{}}
 *     ]
 *
 * Time zero is when the tracer was made; `process_labels` says when that was.
 */
import { newSpanContext, nowMs } from '../span-context.ts';
import type { Attributes, Span, SpanContext, Tracer, TracerSpanOptions } from '../span.ts';
import { spanTitle } from '../span-title.ts';
import { Tracks } from '../tracks.ts';

export type ChromeTracerOptions = {
  readonly processName: string;
  readonly processId: number;
  /** Takes the text of the file, piece by piece, each whole lines. It never throws. */
  readonly write: (text: string) => void;
};

type TraceEvent = Readonly<Record<string, unknown>>;

/** What is known of an open span only at its end. */
type OpenSpan = { readonly startMs: number; attributes: Attributes };

/** Texts of attributes longer than this are cut. */
const maxText = 4096;

export class ChromeTracer implements Tracer {
  readonly #write: (text: string) => void;
  readonly #processId: number;
  readonly #originMs: number = nowMs();
  readonly #tracks = new Tracks();
  readonly #open = new Map<string, OpenSpan>();
  /** Those that have ended and are still drawn. */
  readonly #late = new Map<string, OpenSpan>();
  #flows = 0;
  #hasEnded = false;

  constructor({ processName, processId, write }: ChromeTracerOptions) {
    this.#write = write;
    this.#processId = processId;
    write('[\n');
    this.#metadata('process_name', { name: processName });
    this.#metadata('process_labels', { labels: new Date(this.#originMs).toISOString() });
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const { parent, attributes = {}, kind = 'internal' } = options;
    const context = options.context ?? newSpanContext(parent);
    const { spanId, traceId } = context;
    const timeMs = Math.max(options.startMs ?? nowMs(), this.#originMs);
    const { track, isNew, parentTrack } = this.#tracks.begin({ name, kind, spanId, parent, timeMs });
    const at = { tid: track.number, ts: this.#micros(timeMs) };
    if (isNew) {
      this.#metadata('thread_name', { name: track.name }, track.number);
      this.#metadata('thread_sort_index', { sort_index: track.number }, track.number);
    }
    const args = { ...shown(attributes), trace_id: traceId, span_id: spanId };
    this.#event({ ph: 'B', ...at, name: spanTitle(name, attributes), cat: name, args });
    if (parentTrack !== undefined) this.#flow(parentTrack.number, at);
    const open = { startMs: timeMs, attributes: {} };
    this.#open.set(spanId, open);
    return this.#span(context, open);
  }

  /** Ends what is still open, and the file. Later spans are not written. */
  end(): void {
    if (this.#hasEnded) return;
    for (const spanId of this.#tracks.openSpans().toReversed()) this.#end(spanId, nowMs());
    this.#write(`${JSON.stringify({ ph: 'M', pid: this.#processId, name: 'trace_ended', args: {} })}\n]\n`);
    this.#hasEnded = true;
  }

  #span(context: SpanContext, open: OpenSpan): Span {
    return {
      context,
      set: (attributes) => {
        open.attributes = { ...open.attributes, ...attributes };
      },
      event: (name, attributes = {}, timeMs = nowMs()) => {
        const tid = this.#tracks.trackOf(context.spanId)?.number;
        if (tid === undefined) return;
        const ts = this.#micros(Math.max(timeMs, open.startMs));
        this.#event({ ph: 'i', tid, ts, name, s: 't', args: shown(attributes) });
      },
      fail: (error) => {
        const message = error instanceof Error ? error.message : String(error);
        open.attributes = { ...open.attributes, error: message };
      },
      end: (timeMs = nowMs()) => this.#end(context.spanId, timeMs),
    };
  }

  #end(spanId: string, timeMs: number): void {
    const open = this.#open.get(spanId);
    if (open === undefined) return;
    this.#open.delete(spanId);
    this.#late.set(spanId, open);
    for (const end of this.#tracks.end(spanId, Math.max(timeMs, open.startMs))) {
      const args = shown(this.#late.get(end.spanId)?.attributes ?? {});
      this.#late.delete(end.spanId);
      this.#event({ ph: 'E', tid: end.track.number, ts: this.#micros(end.timeMs), args });
    }
  }

  /** An arrow between two tracks at one time. */
  #flow(from: number, to: { readonly tid: number; readonly ts: number }): void {
    const id = ++this.#flows;
    const event = { ts: to.ts, name: 'within', cat: 'flow', id };
    this.#event({ ph: 's', tid: from, ...event });
    this.#event({ ph: 'f', bp: 'e', tid: to.tid, ...event });
  }

  #metadata(name: string, args: TraceEvent, tid?: number): void {
    this.#event({ ph: 'M', ...(tid !== undefined && { tid }), name, args });
  }

  #event({ ph, ...event }: TraceEvent): void {
    if (this.#hasEnded) return;
    this.#write(`${JSON.stringify({ ph, pid: this.#processId, ...event })},\n`);
  }

  /** Since the origin, with nanoseconds at most. */
  #micros(timeMs: number): number {
    return Math.round((timeMs - this.#originMs) * 1e6) / 1e3;
  }
}

function shown(attributes: Attributes): TraceEvent {
  const entries = Object.entries(attributes).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [
      [name, typeof value === 'string' && value.length > maxText ? `${value.slice(0, maxText)}…` : value],
    ];
  });
  return Object.fromEntries(entries) as TraceEvent;
}
