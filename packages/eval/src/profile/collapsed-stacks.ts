/**
 * A profile as collapsed stacks, which make a flame graph (flamegraph.pl, inferno, speedscope): one line a stack,
 *
 *     frame;frame;frame ticks
 *
 * the outermost frame first. Frames are named as Nix's `eval-profiler = flamegraph` names them: the place of the call and
 * the name of the function, `/tmp/a.nix:3:7:f`; without a name the place alone; for a builtin `/tmp/a.nix:3:7:primop map`;
 * for `derivationStrict` also the name of the derivation.
 */
import type { EvaluationProfile, ProfileFrame, ProfilePlace } from './profile.ts';

/** The lines, each with its line end; stacks that read the same are one. */
export function printCollapsedStacks(profile: EvaluationProfile): string {
  const lines = new Map<string, number>();
  for (const { frames, ticks } of profile.stacks) {
    // Time outside of every function has no frame, and the format no line without one.
    if (frames.length === 0) continue;
    const line = frames.map(frameName).join(';');
    lines.set(line, (lines.get(line) ?? 0) + ticks);
  }
  return Array.from(lines, ([line, ticks]) => `${line} ${ticks}\n`)
    .toSorted()
    .join('');
}

function frameName({ function: { kind, name, place }, site }: ProfileFrame): string {
  const at = site === undefined ? '' : `${printPlace(site)}:`;
  switch (kind) {
    case 'builtin':
      return clean(`${at}primop ${name ?? ''}`);
    case 'derivation':
      return clean(`${at}primop derivationStrict:${name ?? ''}`);
    case 'functor':
      return clean(`${at}functor`);
    case 'collector':
      return 'garbage collector';
    case 'lambda': {
      const shown = site ?? place;
      const where = shown === undefined ? '«none»:0' : printPlace(shown);
      return clean(name === undefined ? where : `${where}:${name}`);
    }
  }
}

export function printPlace({ file, line, column }: ProfilePlace): string {
  return `${file}:${line}:${column}`;
}

/** A semicolon would begin another frame, a line end another stack. */
function clean(text: string): string {
  return text.replaceAll(/[;\n\r]/g, '_');
}
