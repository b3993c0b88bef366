/**
 * Tracks: where spans are drawn. A track is a line on which spans lie within one another or one after the other, as calls of
 * a thread do; spans of concurrent work overlap, and so need several.
 *
 * A span is drawn within its parent as long as the parent is the newest open span of its track; otherwise on the first free
 * track of its group, or on a new one. Groups are kinds of work: evaluation, builds, fetches. A span that ends while later
 * spans of its track are open stays drawn until these have ended.
 */
import type { SpanContext, SpanKind } from './span.ts';

export type Track = {
  /** From 1 on. */
  readonly number: number;
  /** `builds`, `builds 2`. */
  readonly name: string;
};

/** Where a span was put. */
export type Placed = {
  readonly track: Track;
  /** Nothing was on the track before. */
  readonly isNew: boolean;
  /** The open track of the parent, when it is another one. */
  readonly parentTrack: Track | undefined;
};

/** An end that is to be drawn: of the span `spanId`. */
export type DrawnEnd = { readonly track: Track; readonly spanId: string; readonly timeMs: number };

type OpenSpan = { readonly spanId: string; readonly line: Line; endMs: number | undefined };

type Line = {
  readonly track: Track;
  readonly group: string;
  readonly open: OpenSpan[];
  /** Nothing may begin before. */
  latestMs: number;
};

export class Tracks {
  readonly #lines: Line[] = [];
  readonly #sizes = new Map<string, number>();
  readonly #open = new Map<string, OpenSpan>();

  /** Puts a span on a track. */
  begin(span: {
    readonly name: string;
    readonly kind: SpanKind;
    readonly spanId: string;
    readonly parent: SpanContext | undefined;
    readonly timeMs: number;
  }): Placed {
    const parent = span.parent === undefined ? undefined : this.#open.get(span.parent.spanId);
    const own = groupOf(span.name, span.kind);
    const isWithin =
      parent !== undefined &&
      (own === undefined || own === parent.line.group) &&
      parent.line.open.at(-1) === parent &&
      parent.endMs === undefined &&
      parent.line.latestMs <= span.timeMs;
    const group = own ?? beside(span.name, span.kind) ?? parent?.line.group ?? 'other';
    const free = isWithin
      ? parent.line
      : this.#lines.find((it) => it.group === group && it.open.length === 0 && it.latestMs <= span.timeMs);
    const line = free ?? this.#addLine(group);
    const open = { spanId: span.spanId, line, endMs: undefined };
    line.open.push(open);
    line.latestMs = span.timeMs;
    this.#open.set(span.spanId, open);
    const parentTrack = parent === undefined || parent.line === line ? undefined : parent.line.track;
    return { track: line.track, isNew: free === undefined, parentTrack };
  }

  /** Ends a span. Gives the ends to be drawn now, the innermost first; none while later spans of its track are open. */
  end(spanId: string, timeMs: number): readonly DrawnEnd[] {
    const span = this.#open.get(spanId);
    if (span === undefined) return [];
    this.#open.delete(spanId);
    span.endMs = timeMs;
    const { line } = span;
    const drawn: DrawnEnd[] = [];
    for (let last = line.open.at(-1); last?.endMs !== undefined; last = line.open.at(-1)) {
      line.latestMs = Math.max(line.latestMs, last.endMs);
      drawn.push({ track: line.track, spanId: last.spanId, timeMs: line.latestMs });
      line.open.pop();
    }
    return drawn;
  }

  /** The track of an open span. */
  trackOf(spanId: string): Track | undefined {
    return this.#open.get(spanId)?.line.track;
  }

  /** Ids of open spans. */
  openSpans(): readonly string[] {
    return [...this.#open.keys()];
  }

  #addLine(group: string): Line {
    const size = (this.#sizes.get(group) ?? 0) + 1;
    this.#sizes.set(group, size);
    const track = { number: this.#lines.length + 1, name: size === 1 ? group : `${group} ${size}` };
    const line = { track, group, open: [], latestMs: -Infinity };
    this.#lines.push(line);
    return line;
  }
}

/** Groups by the names of spans, the first that fits. */
const groups: readonly (readonly [RegExp, string])[] = [
  [/^neve\.evaluation|^eval\.|^Evaluator\.|^EvalIO\./, 'evaluation'],
  [/^neve /, 'commands'],
  [/^(realise\.build|BuildService\.)/, 'builds'],
  [/^(realise\.fetch|Fetcher\.)/, 'fetches'],
  [/^realise\.substitute/, 'substitutions'],
  [/^realise\.path/, 'realising'],
  [/^nix-daemon /, 'requests'],
];

/** The group of what has one of its own; everything else is drawn within its parent where it can be. */
function groupOf(name: string, kind: SpanKind): string | undefined {
  if (kind === 'server') return 'requests';
  return groups.find(([pattern]) => pattern.test(name))?.[1];
}

/** Where calls are drawn that run beside others. */
function beside(name: string, kind: SpanKind): string | undefined {
  if (kind === 'client') return 'calls';
  return /^[A-Z]\w*\./.test(name) ? 'services' : undefined;
}
