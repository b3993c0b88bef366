/**
 * Spans of the phases of a build, which tells of them in its log: builders that were told where to (`NIX_LOG_FD`) write
 *
 *     @nix { "action": "setPhase", "phase": "buildPhase" }
 *
 * in a line of its own when a phase begins. Other lines are not kept.
 */
import { decodeUtf8 } from '@neve/bytes';
import { type Span, type SpanContext, startSpan } from '@neve/telemetry';

const lineEnd = 0x0a;
const marker: Uint8Array = Uint8Array.from('@nix ', (letter) => letter.charCodeAt(0));
/** A longer line is no such message. */
const maxLineBytes = 4096;

export class PhaseSpans {
  /** The beginning of a line, as far as it can be a message; undefined within one that is none. */
  #line: Uint8Array | undefined = new Uint8Array(0);
  #phase: Span | undefined;
  readonly #build: SpanContext | undefined;

  /** Spans are within that of the build; there are none without it. */
  constructor(build: SpanContext | undefined) {
    this.#build = build;
  }

  /** Takes a piece of the log. */
  write(bytes: Uint8Array): void {
    if (this.#build === undefined) return;
    let start = 0;
    for (let end = bytes.indexOf(lineEnd); end !== -1; end = bytes.indexOf(lineEnd, start)) {
      this.#take(bytes.subarray(start, end));
      if (this.#line !== undefined) this.#read(this.#line);
      this.#line = new Uint8Array(0);
      start = end + 1;
    }
    this.#take(bytes.subarray(start));
  }

  /** The last phase ends with the build. */
  end(): void {
    this.#phase?.end();
    this.#phase = undefined;
  }

  #take(bytes: Uint8Array): void {
    if (this.#line === undefined || bytes.length === 0) return;
    const line = new Uint8Array(Math.min(this.#line.length + bytes.length, maxLineBytes));
    line.set(this.#line);
    line.set(bytes.subarray(0, line.length - this.#line.length), this.#line.length);
    const canBeMessage = marker.every((byte, index) => index >= line.length || line[index] === byte);
    this.#line = canBeMessage && line.length < maxLineBytes ? line : undefined;
  }

  #read(line: Uint8Array): void {
    if (line.length <= marker.length) return;
    const phase = phaseOf(decodeUtf8(line.subarray(marker.length)));
    if (phase === undefined) return;
    this.end();
    this.#phase = startSpan(phase, { parent: this.#build, attributes: { 'build.phase': phase } });
  }
}

function phaseOf(json: string): string | undefined {
  try {
    const message = JSON.parse(json) as { readonly action?: unknown; readonly phase?: unknown } | null;
    const { action, phase } = message ?? {};
    return action === 'setPhase' && typeof phase === 'string' ? phase : undefined;
  } catch {
    return undefined;
  }
}
