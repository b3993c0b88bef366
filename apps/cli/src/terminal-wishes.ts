/**
 * What messages may have beside their text, by the environment: colours (no-color.org, bixense.com/clicolors, and FORCE_COLOR as
 * Node reads it), and links to sources (OSC 8), of which terminals that do not know them may make a mess.
 */
import type { Environment } from './caller.ts';

/** `isTerminal` is asked last, since it takes longest. */
export function wantsColour(environment: Environment, isTerminal: () => boolean): boolean {
  const { NO_COLOR, NOCOLOR, FORCE_COLOR, TERM = 'dumb' } = environment;
  if (NO_COLOR !== undefined || NOCOLOR !== undefined || isOff(FORCE_COLOR)) return false;
  if (isColourForced(environment)) return true;
  return TERM !== 'dumb' && isTerminal();
}

/** Whether there are colours although nobody knows of a terminal. */
export function isColourForced({ FORCE_COLOR, CLICOLOR_FORCE }: Environment): boolean {
  return FORCE_COLOR !== undefined || isOn(CLICOLOR_FORCE);
}

/** Never but at a terminal, whatever is forced. */
export function wantsLinks(environment: Environment, isTerminal: () => boolean): boolean {
  const { FORCE_HYPERLINK: forced, TERM = 'dumb' } = environment;
  if (TERM === 'dumb' || isOff(forced)) return false;
  return (isOn(forced) || knowsLinks(environment)) && isTerminal();
}

function knowsLinks({ TERM = '', TERM_PROGRAM = '', VTE_VERSION = '', WT_SESSION }: Environment): boolean {
  // What runs inside of another terminal has the variables of that.
  if (/^(screen|linux)/.test(TERM)) return false;
  return (
    terminals.has(TERM) ||
    /^foot(-|$)/.test(TERM) ||
    programs.has(TERM_PROGRAM) ||
    // Version 0.50.0 crashes.
    Number(VTE_VERSION) > 5000 ||
    WT_SESSION !== undefined
  );
}

/** By TERM. */
const terminals: ReadonlySet<string> = new Set([
  'alacritty',
  'contour',
  'rio',
  'wezterm',
  'xterm-ghostty',
  'xterm-kitty',
]);

/** By TERM_PROGRAM. */
const programs: ReadonlySet<string> = new Set(['WezTerm', 'ghostty', 'iTerm.app', 'rio', 'vscode', 'zed']);

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && !isOff(value);
}

function isOff(value: string | undefined): boolean {
  return value === '0' || value === 'false';
}
