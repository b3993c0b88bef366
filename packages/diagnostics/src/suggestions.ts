/**
 * "Did you mean": the names next to a mistyped one by Levenshtein distance over bytes, at most two edits away, at most
 * five of them, nearest first and alphabetical among equals.
 */

const maxDistance = 2;
const maxCount = 5;

export function findSuggestions(query: string, candidates: Iterable<string>): readonly string[] {
  const encoder = new TextEncoder();
  const wanted = encoder.encode(query);
  const near: { distance: number; text: string }[] = [];
  for (const text of new Set(candidates)) {
    const bytes = encoder.encode(text);
    if (Math.abs(bytes.length - wanted.length) > maxDistance) continue;
    const distance = editDistance(wanted, bytes);
    if (distance <= maxDistance) near.push({ distance, text });
  }
  near.sort((left, right) => left.distance - right.distance || (left.text < right.text ? -1 : 1));
  return near.slice(0, maxCount).map(({ text }) => text);
}

/** Insertions, deletions and substitutions between two byte strings (Wagner and Fischer, one row kept). */
function editDistance(left: Uint8Array, right: Uint8Array): number {
  const row = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (const [i, byte] of left.entries()) {
    let diagonal = row[0] as number;
    row[0] = i + 1;
    for (const [j, other] of right.entries()) {
      const above = row[j + 1] as number;
      row[j + 1] = Math.min(above + 1, (row[j] as number) + 1, diagonal + (byte === other ? 0 : 1));
      diagonal = above;
    }
  }
  return row[right.length] as number;
}

/** `a`, `one of a or b`, `one of a, b or c`. */
export function phraseSuggestions(suggestions: readonly string[]): string {
  const last = suggestions.at(-1) ?? '';
  if (suggestions.length < 2) return last;
  return `one of ${suggestions.slice(0, -1).join(', ')} or ${last}`;
}
