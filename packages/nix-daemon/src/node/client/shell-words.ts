/** Words as a shell separates them, for options in a variable: quotes and backslashes, nothing is expanded. */
import { NixDaemonError } from '../../nix-daemon-error.ts';

const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;

/** Throws `NixDaemonError` (`invalid-request`) for a quote that is not closed. */
export function splitShellWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  for (const match of text.matchAll(part)) {
    at = match.index + match[0].length;
    const [, single, double, escaped, plain] = match;
    const content = single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain;
    if (content !== undefined) {
      word = (word ?? '') + content;
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (at < text.length)
    throw new NixDaemonError('invalid-request', `'${text}' has a quote that is not closed`);
  return word === undefined ? words : [...words, word];
}
