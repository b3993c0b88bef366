import { describe, expect, test } from 'vitest';
import type { Environment } from './caller.ts';
import { wantsColour, wantsLinks } from './terminal-wishes.ts';

const terminal = (): boolean => true;
const pipe = (): boolean => false;

describe('colours', () => {
  const cases: readonly (readonly [environment: Environment, atTerminal: boolean, inPipe: boolean])[] = [
    [{ TERM: 'xterm' }, true, false],
    [{}, false, false],
    [{ TERM: 'dumb' }, false, false],
    [{ TERM: 'xterm', NO_COLOR: '' }, false, false],
    [{ TERM: 'xterm', NO_COLOR: '1', FORCE_COLOR: '1', CLICOLOR_FORCE: '1' }, false, false],
    [{ TERM: 'dumb', FORCE_COLOR: '1' }, true, true],
    [{ FORCE_COLOR: '' }, true, true],
    [{ TERM: 'xterm', FORCE_COLOR: '0' }, false, false],
    [{ TERM: 'xterm', CLICOLOR_FORCE: '1' }, true, true],
    [{ TERM: 'xterm', CLICOLOR_FORCE: '0' }, true, false],
  ];
  for (const [environment, atTerminal, inPipe] of cases) {
    test(JSON.stringify(environment), () => {
      expect(wantsColour(environment, terminal)).toBe(atTerminal);
      expect(wantsColour(environment, pipe)).toBe(inPipe);
    });
  }
});

describe('links', () => {
  const cases: readonly (readonly [environment: Environment, atTerminal: boolean])[] = [
    [{ TERM: 'xterm-256color' }, false],
    [{ TERM: 'xterm-kitty' }, true],
    [{ TERM: 'foot-extra' }, true],
    [{ TERM: 'xterm-256color', VTE_VERSION: '6800' }, true],
    [{ TERM: 'xterm-256color', VTE_VERSION: '5000' }, false],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'vscode' }, true],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'Apple_Terminal' }, false],
    [{ TERM: 'screen-256color', VTE_VERSION: '6800' }, false],
    [{ TERM: 'dumb', FORCE_HYPERLINK: '1' }, false],
    [{ TERM: 'xterm', FORCE_HYPERLINK: '1' }, true],
    [{ TERM: 'xterm-kitty', FORCE_HYPERLINK: '0' }, false],
  ];
  for (const [environment, atTerminal] of cases) {
    test(JSON.stringify(environment), () => {
      expect(wantsLinks(environment, terminal)).toBe(atTerminal);
      expect(wantsLinks(environment, pipe)).toBe(false);
    });
  }
});
