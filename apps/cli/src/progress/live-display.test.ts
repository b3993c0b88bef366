/** What a terminal gets, and when: a clock and a terminal of the test's own. */
import { encodeUtf8 } from '@neve/bytes';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LiveDisplay } from './live-display.ts';
import { asciiSymbols } from './progress-view.ts';
import type { Terminal, TerminalWatch } from './terminal.ts';

const drvPath = '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-a.drv';

class TestTerminal implements Terminal {
  readonly columns = 40;
  readonly rows = 20;
  readonly isOutput: boolean;
  readonly wrapsAnew = true;
  readonly written: string[] = [];
  watched: TerminalWatch | undefined;

  constructor({ isOutput }: { readonly isOutput: boolean }) {
    this.isOutput = isOutput;
  }

  now(): number {
    return performance.now();
  }

  write(file: 1 | 2, text: string | Uint8Array): void {
    // oxlint-disable-next-line no-control-regex -- frames are looked at without their marks
    this.written.push(`${file} ${String(text).replace(/\x1b\[\?2026[hl]/g, '')}`);
  }

  watch(watch: TerminalWatch): Disposable {
    this.watched = watch;
    return { [Symbol.dispose]: () => void (this.watched = undefined) };
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function display(isOutput = true): { readonly terminal: TestTerminal; readonly display: LiveDisplay } {
  const terminal = new TestTerminal({ isOutput });
  const options = {
    terminal,
    buildLogs: 'named',
    verbose: false,
    colour: false,
    symbols: asciiSymbols,
  } as const;
  return { terminal, display: new LiveDisplay(options) };
}

const start = (to: LiveDisplay): void => {
  to.report({ kind: 'build-planned', storePath: drvPath, inputs: [] });
  to.report({ kind: 'build-started', storePath: drvPath });
};

const drawn = '\x1b[?25l> a  0s\n> 1 building  0s';
const erase = '\r\x1b[1A\x1b[J';

test('a dozen frames a second at most, whatever is said', () => {
  const { terminal, display: shown } = display();
  start(shown);
  vi.advanceTimersByTime(1);
  expect(terminal.written).toEqual([`2 ${drawn}`]);
  for (let n = 0; n < 1000; n++) {
    shown.report({ kind: 'build-log', storePath: drvPath, log: encodeUtf8(`line ${n}\n`) });
    vi.advanceTimersByTime(1);
  }
  expect(terminal.written.length).toBeGreaterThan(8);
  expect(terminal.written.length).toBeLessThan(15);
  shown[Symbol.dispose]();
  const lines = terminal.written.join('').match(/a> line \d+\n/g);
  expect(lines).toEqual(Array.from({ length: 1000 }, (_, n) => `a> line ${n}\n`));
});

test('no frame when nothing has changed', () => {
  const { terminal, display: shown } = display();
  start(shown);
  vi.advanceTimersByTime(450);
  expect(terminal.written.length).toBe(1);
  vi.advanceTimersByTime(3000);
  expect(terminal.written.length).toBe(4);
});

test('a line that has not ended stays as it is until it ends', () => {
  const { terminal, display: shown } = display();
  start(shown);
  vi.advanceTimersByTime(100);
  shown.write(1, 'no end');
  vi.advanceTimersByTime(500);
  expect(terminal.written.slice(1)).toEqual([`2 ${erase}\x1b[?25h`, '1 no end']);
  shown.write(1, '.\n');
  vi.advanceTimersByTime(500);
  expect(terminal.written.slice(3)).toEqual(['1 .\n', '2 \x1b[?25l> a  1s\n> 1 building  1s']);
});

test('standard output that is no terminal is left alone', () => {
  const { terminal, display: shown } = display(false);
  start(shown);
  vi.advanceTimersByTime(100);
  shown.write(1, 'result');
  expect(terminal.written).toEqual([`2 ${drawn}`, '1 result']);
});

test('failures are told at the end, before the counts', () => {
  const { terminal, display: shown } = display();
  shown.report({ kind: 'work-started' });
  start(shown);
  shown.report({ kind: 'build-failed', storePath: drvPath, detail: 'broken' });
  shown.report({ kind: 'failure', detail: 'error: it is \x1b[2Jbroken\n' });
  expect(terminal.written.join('')).not.toContain('broken');
  shown.report({ kind: 'work-ended' });
  expect(terminal.written.at(-1)).toBe('2 error: it is broken\nx 1 failed  0s\n');
});

test('whoever leaves finds the terminal as it was, and it is drawn again when they return', () => {
  const { terminal, display: shown } = display();
  start(shown);
  vi.advanceTimersByTime(100);
  terminal.watched?.onLeave();
  expect(terminal.written.at(-1)).toBe(`2 ${erase}\x1b[?25h`);
  shown.report({ kind: 'build-log', storePath: drvPath, log: encodeUtf8('meanwhile\n') });
  vi.advanceTimersByTime(500);
  expect(terminal.written.length).toBe(2);
  terminal.watched?.onReturn();
  vi.advanceTimersByTime(500);
  expect(terminal.written.at(-1)).toContain('a> meanwhile\n');
  shown[Symbol.dispose]();
  expect(terminal.watched).toBeUndefined();
});
