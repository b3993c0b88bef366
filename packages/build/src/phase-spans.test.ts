import { RecordingTracer, setTracing } from '@neve/telemetry';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { PhaseSpans } from './phase-spans.ts';

afterEach(() => setTracing(undefined));

const build = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };

/** Names of the spans of a log that comes in these pieces, in the order of their ends. */
function phasesOf(pieces: readonly Uint8Array[]): readonly string[] {
  const names: string[] = [];
  setTracing({
    tracer: new RecordingTracer(({ name, parent }) => {
      expect(parent).toBe(build);
      names.push(name);
    }),
    activeSpans: { active: () => undefined, run: (_, work) => work() },
  });
  const phases = new PhaseSpans(build);
  for (const piece of pieces) phases.write(piece);
  phases.end();
  return names;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

// As stdenv of nixpkgs writes them.
const log = [
  '@nix { "action": "setPhase", "phase": "unpackPhase" }',
  'Running phase: unpackPhase',
  '@nix is nice',
  `@nix ${'x'.repeat(10_000)}`,
  ' @nix { "action": "setPhase", "phase": "indented" }',
  '@nix { "action": "msg", "level": 0, "msg": "hello" }',
  '@nix null',
  '',
  '@nix { "action": "setPhase", "phase": "buildPhase" }',
  'the last line has no end',
].join('\n');

test('phases of a log, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(log.length), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), log.length];
      const pieces = places.slice(1).map((end, index) => bytes(log.slice(places[index], end)));
      expect(phasesOf(pieces)).toEqual(['unpackPhase', 'buildPhase']);
    }),
  );
});

test('without a span of the build there are none', () => {
  setTracing({
    tracer: new RecordingTracer(() => expect.unreachable()),
    activeSpans: { active: () => undefined, run: (_, work) => work() },
  });
  const phases = new PhaseSpans(undefined);
  phases.write(bytes(log));
  phases.end();
});
