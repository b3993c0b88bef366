/** What changed between two results, in lines for the user: attributes by their paths, or the lines of a text. */
import { type PrintedValue, parsePrinted } from './printed-value.ts';

/** So many lines are enough to see what happened. */
const maxLines = 100;
const maxTextLength = 200;

/** `+ a.b = 1`, `- a.c = 2`, `a.d: 1 → 2`; none when nothing changed. */
export function describeChange(before: string, now: string): readonly string[] {
  if (before === now) return [];
  const [left, right] = [parsePrinted(before), parsePrinted(now)];
  const lines = left && right ? [...differences(left, right, [])] : lineDifferences(before, now);
  // What is printed alike and differs in spaces only.
  const shown = lines.length === 0 ? lineDifferences(before, now) : lines;
  const more = shown.length - maxLines;
  return more > 0 ? [...shown.slice(0, maxLines), `… and ${more} more`] : shown;
}

// oxlint-disable-next-line eslint/max-params -- two values, and where
function* differences(before: PrintedValue, now: PrintedValue, path: readonly string[]): Generator<string> {
  if (before.kind === 'set' && now.kind === 'set') {
    const names = new Set([...before.attributes.keys(), ...now.attributes.keys()]);
    for (const name of names) {
      yield* partDifferences(before.attributes.get(name), now.attributes.get(name), [
        ...path,
        plainName(name),
      ]);
    }
  } else if (before.kind === 'list' && now.kind === 'list') {
    for (let index = 0; index < Math.max(before.items.length, now.items.length); index++) {
      yield* partDifferences(before.items[index], now.items[index], [...path, String(index)]);
    }
  } else if (textOf(before) !== textOf(now)) {
    const place = path.length === 0 ? '' : `${path.join('.')}: `;
    yield `  ${place}${cut(textOf(before))} → ${cut(textOf(now))}`;
  }
}

// oxlint-disable-next-line eslint/max-params -- as above
function* partDifferences(
  before: PrintedValue | undefined,
  now: PrintedValue | undefined,
  path: readonly string[],
): Generator<string> {
  if (before !== undefined && now !== undefined) yield* differences(before, now, path);
  else if (before !== undefined) yield `- ${path.join('.')} = ${cut(textOf(before))}`;
  else if (now !== undefined) yield `+ ${path.join('.')} = ${cut(textOf(now))}`;
}

/** Lines that only one of them has; in order, without looking for what was moved. */
function lineDifferences(before: string, now: string): readonly string[] {
  const [left, right] = [before.split('\n'), now.split('\n')];
  const [inLeft, inRight] = [new Set(left), new Set(right)];
  const gone = left.filter((line) => !inRight.has(line)).map((line) => `- ${cut(line)}`);
  const come = right.filter((line) => !inLeft.has(line)).map((line) => `+ ${cut(line)}`);
  return gone.length + come.length === 0 ? ['  the lines are in another order'] : [...gone, ...come];
}

function textOf(value: PrintedValue): string {
  if (value.kind === 'atom') return value.text;
  if (value.kind === 'list') return `[ ${value.items.map((it) => `${textOf(it)} `).join('')}]`;
  const attributes = [...value.attributes].map(([name, it]) => `${name} = ${textOf(it)}; `);
  return `{ ${attributes.join('')}}`;
}

/** JSON has every name in quotes, Nix only those that need them. */
function plainName(name: string): string {
  return /^"[a-zA-Z_][\w'-]*"$/.test(name) ? name.slice(1, -1) : name;
}

function cut(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
}
