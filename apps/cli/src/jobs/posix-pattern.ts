/**
 * Extended regular expressions of POSIX, as far as JavaScript has them: classes of characters have names in brackets there, and a
 * backslash in brackets stands for itself. Of several matches POSIX takes the longest, and JavaScript the first alternative.
 */
import { UsageError } from '../usage-error.ts';

const classes: Readonly<Record<string, string>> = {
  alnum: 'a-zA-Z0-9',
  alpha: 'a-zA-Z',
  blank: String.raw` \t`,
  digit: '0-9',
  lower: 'a-z',
  punct: String.raw`!-\/:-@\[-\x60{-~`,
  space: String.raw`\s`,
  upper: 'A-Z',
  xdigit: '0-9a-fA-F',
};

/** Throws `UsageError` for what is no pattern. */
export function posixPattern(text: string, flags: string): RegExp {
  const source = text.replaceAll(/\\.|\[(\^?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]/gsu, (all, negated, inside) =>
    typeof inside === 'string' ? `[${negated}${bracketed(inside)}]` : all,
  );
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new UsageError(`'${text}' is no regular expression: ${(error as Error).message}`);
  }
}

function bracketed(inside: string): string {
  return inside.replaceAll(/\[:([a-z]+):\]|[[\]\\]/gu, (all, name) =>
    typeof name === 'string' ? (classes[name] ?? all) : `\\${all}`,
  );
}
