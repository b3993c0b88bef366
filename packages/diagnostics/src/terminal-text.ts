/**
 * Text on its way to a terminal or a log. Whatever a program prints through here, carriage returns and bells do not
 * arrive, tabs become spaces, and of escape sequences only colours (SGR) remain, and those only where they are wanted.
 *
 * Tab stops are every eight columns, counted from the start of the whole text and not of its line: that is what Nix
 * does, and its messages are laid out so.
 */

/** SGR sequences, as Nix uses them. */
export const colours = {
  normal: '\u001B[0m',
  red: '\u001B[31;1m',
  green: '\u001B[32;1m',
  blue: '\u001B[34;1m',
  magenta: '\u001B[35;1m',
} as const;

/** CSI and OSC sequences, a two-byte escape, or a lone escape (ECMA-48 §5.4, §8.3.89). */
const escapeSequence =
  // eslint-disable-next-line no-control-regex
  /\u001B(?:\[[0-?]*[ -/]*([@-~])?|\][^\u001B\u0007]*(?:\u001B\\?|\u0007)?|[@-_])?/g;

export type TextOptions = {
  readonly colour: boolean;
  /** Other sequences that remain. */
  readonly kept?: ReadonlySet<string>;
};

export function terminalText(text: string, options: TextOptions): string {
  const remains = (sequence: string, final: string | undefined): boolean =>
    (options.colour && final === 'm') || options.kept?.has(sequence) === true;
  if (!/[\u001B\t\r\u0007]/.test(text)) return text;
  const visible = text.replace(/[\r\u0007]/g, '');
  if (!visible.includes('\t')) {
    return visible.replace(escapeSequence, (sequence: string, final: string | undefined) =>
      remains(sequence, final) ? sequence : '',
    );
  }
  let result = '';
  let column = 0;
  let from = 0;
  for (const match of visible.matchAll(escapeSequence)) {
    expand(visible.slice(from, match.index));
    if (remains(match[0], match[1])) result += match[0];
    from = match.index + match[0].length;
  }
  expand(visible.slice(from));
  return result;

  function expand(piece: string): void {
    for (const character of piece) {
      const width = character === '\t' ? 8 - (column % 8) : characterWidth(character);
      result += character === '\t' ? ' '.repeat(width) : character;
      column += width;
    }
  }
}

/**
 * Columns that a character takes (Unicode Standard Annex 11; ambiguous characters take one). The tables of Unicode are
 * large, so that these patterns stand where they are made only when a character asks for them.
 */
function characterWidth(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  return isDoubleWidth(character) ? 2 : isZeroWidth(character) ? 0 : 1;
}

function isZeroWidth(character: string): boolean {
  return /^[\p{Cc}\p{Mn}\p{Me}\p{Mc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Cs}]$/u.test(character);
}

function isDoubleWidth(character: string): boolean {
  return /^[\u1100-\u115F\u231A\u231B\u2329\u232A\u23E9-\u23EC\u23F0\u23F3\u25FD\u25FE\u2614\u2615\u2648-\u2653\u267F\u2693\u26A1\u26AA\u26AB\u26BD\u26BE\u26C4\u26C5\u26CE\u26D4\u26EA\u26F2\u26F3\u26F5\u26FA\u26FD\u2705\u270A\u270B\u2728\u274C\u274E\u2753-\u2755\u2757\u2795-\u2797\u27B0\u27BF\u2B1B\u2B1C\u2B50\u2B55\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18AFF}\u{1B000}-\u{1B2FF}\u{1F004}\u{1F0CF}\u{1F18E}\u{1F191}-\u{1F19A}\u{1F200}-\u{1F64F}\u{1F680}-\u{1F6FF}\u{1F7E0}-\u{1F7F0}\u{1F90C}-\u{1F9FF}\u{1FA70}-\u{1FAFF}\u{20000}-\u{3FFFD}]$/u.test(
    character,
  );
}
