import { phraseSuggestions } from '@neve/diagnostics';
import type { UsageError } from './usage-error.ts';

/** What follows the message of a command line that is wrong: what may have been meant, and where to read. */
export function usageHint({ suggestions }: UsageError, command: string): string {
  const meant = suggestions.length === 0 ? '' : `       Did you mean ${phraseSuggestions(suggestions)}?\n`;
  const name = command === '' ? 'neve' : `neve ${command}`;
  return `${meant}Try '${name} --help' for more information.\n`;
}
