/** A word that is no command, or no option: the error with what may have been meant. */
import { findSuggestions } from '@neve/diagnostics';
import { UsageError } from './usage-error.ts';

/** `group` stands before the word in the message: `store`, for what is no command of `neve store`. */
export function unknownCommand(word: string, known: Iterable<string>, group = ''): UsageError {
  const name = group === '' ? word : `${group} ${word}`;
  return new UsageError(`unrecognised command '${name}'`, { suggestions: findSuggestions(word, known) });
}

export function unknownOption(word: string, known: Iterable<string>): UsageError {
  // A letter is as near to any other.
  const suggestions = word.startsWith('--') ? findSuggestions(word, longNames(known)) : [];
  return new UsageError(`unrecognised flag '${word}'`, { suggestions });
}

function* longNames(names: Iterable<string>): Generator<string, void, void> {
  for (const name of names) if (name.startsWith('--')) yield name;
}
