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
import { type DrawnEvent, type DrawnSpanEnd, DrawnSpans } from '../drawn-spans.ts';
import { nowMs } from '../span-context.ts';
import type { Attributes, Span, Tracer, TracerSpanOptions } from '../span.ts';
import { spanTitle } from '../span-title.ts';

export type ChromeTracerOptions = {
  readonly processName: string;
  readonly processId: number;
  /** Takes the text of the file, piece by piece, each whole lines. It never throws. */
  readonly write: (text: string) => void;
};

type TraceEvent = Readonly<Record<string, unknown>>;

/** Texts of attributes longer than this are cut. */
const maxText = 4096;

export class ChromeTracer implements Tracer {
  readonly #write: (text: string) => void;
  readonly #processId: number;
  readonly #originMs: number = nowMs();
  readonly #spans: DrawnSpans;
  #flows = 0;
  #hasEnded = false;

  constructor({ processName, processId, write }: ChromeTracerOptions) {
    this.#write = write;
    this.#processId = processId;
    this.#spans = new DrawnSpans({
      originMs: this.#originMs,
      drawEvent: (event) => this.#drawEvent(event),
      drawEnd: (end) => this.#drawEnd(end),
    });
    write('[\n');
    this.#metadata('process_name', { name: processName });
    this.#metadata('process_labels', { labels: new Date(this.#originMs).toISOString() });
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const { attributes = {} } = options;
    const { span, context, startMs, track, isNew, parentTrack } = this.#spans.begin(name, options);
    const at = { tid: track.number, ts: this.#micros(startMs) };
    if (isNew) {
      this.#metadata('thread_name', { name: track.name }, track.number);
      this.#metadata('thread_sort_index', { sort_index: track.number }, track.number);
    }
    const args = { ...shown(attributes), trace_id: context.traceId, span_id: context.spanId };
    this.#event({ ph: 'B', ...at, name: spanTitle(name, attributes), cat: name, args });
    if (parentTrack !== undefined) this.#flow(parentTrack.number, at);
    return span;
  }

  /** Ends what is still open, and the file. Later spans are not written. */
  end(): void {
    if (this.#hasEnded) return;
    this.#spans.endAll();
    this.#write(`${JSON.stringify({ ph: 'M', pid: this.#processId, name: 'trace_ended', args: {} })}\n]\n`);
    this.#hasEnded = true;
  }

  #drawEvent({ track, name, attributes, timeMs }: DrawnEvent): void {
    const ts = this.#micros(timeMs);
    this.#event({ ph: 'i', tid: track.number, ts, name, s: 't', args: shown(attributes) });
  }

  #drawEnd({ track, timeMs, attributes }: DrawnSpanEnd): void {
    this.#event({ ph: 'E', tid: track.number, ts: this.#micros(timeMs), args: shown(attributes) });
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
