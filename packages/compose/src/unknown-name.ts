/** What to say about a name that nobody knows. */
import { findSuggestions } from '@neve/diagnostics';

/** The nearest known name if there is one that is near, or else the list of them. */
export function hintFor(name: string, known: readonly string[]): string {
  const [nearest] = findSuggestions(name.toLowerCase(), known);
  if (nearest !== undefined) return `did you mean ${JSON.stringify(nearest)}?`;
  return known.length === 0 ? 'there are none' : `known are ${known.join(', ')}`;
}
