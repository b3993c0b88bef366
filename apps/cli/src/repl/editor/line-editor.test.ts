import { expect, test } from 'vitest';
import { History } from './history.ts';
import { KeyReader } from './keys.ts';
import { type Candidates, LineEditor } from './line-editor.ts';

type Options = {
  readonly entries?: readonly string[];
  readonly words?: readonly string[];
  readonly complete?: (before: string, signal: AbortSignal) => Promise<Candidates>;
};

/** An input ends where its brackets do. */
function open({ entries = [], words = [], complete }: Options = {}) {
  const history = History.open(undefined);
  for (const entry of entries) history.add(entry);
  const written: string[] = [];
  const editor = new LineEditor({
    screen: { columns: 40, rows: 10, write: (text) => written.push(text) },
    history,
    prompt: '> ',
    continuation: '. ',
    complete:
      complete ??
      (async (before) => {
        const start = before.lastIndexOf(' ') + 1;
        return { start, texts: words.filter((word) => word.startsWith(before.slice(start))) };
      }),
    suspend: async () => {},
  });
  const keys = new KeyReader();
  const type = (text: string): void => editor.type(keys.read(Buffer.from(text)));
  const read = (): Promise<string> =>
    editor.read(async (text) => (text.split('[').length > text.split(']').length ? undefined : text));
  return { editor, history, written, type, read };
}

test.each([
  ['1 + 1\r', '1 + 1'],
  ['ab\x1b[Dx\r', 'axb'],
  ['[ 1\r2 ]\r', '[ 1\n2 ]'],
  ['[ 1\r2\x1b[A0\x1b[B ]\r', '[0 1\n2 ]'],
  ['abc\x03d\r', 'd'],
  ['\x1b[200~let\n  x = 1;\nin x\x1b[201~\r', 'let\n  x = 1;\nin x'],
  ['\x1b[A\r', 'newest'],
  ['\x1b[A\x1b[A\r', 'older'],
  ['typed\x1b[A\x1b[B\r', 'typed'],
  ['\x1b[A\x1b[A\x1b[A\x1b[Bx\r', 'olderx'],
  ['\x12old\r', 'older'],
  ['\x12old\x12\x12\r', 'oldest'],
  ['keep\x12old\x07\r', 'keep'],
  ['\x12est\x12\x05!\r', 'oldest!'],
  ['\x12oldx\x7f\r', 'older'],
])('%j', async (typed, expected) => {
  const { type, read } = open({ entries: ['oldest', 'older', 'newest'] });
  type(typed);
  expect(await read()).toBe(expected);
});

test('what is entered is remembered, and what is typed ahead is the next input', async () => {
  const { type, read, history } = open();
  type('one\rtwo\r\x1b[A\x1b[A\r');
  expect([await read(), await read(), await read()]).toEqual(['one', 'two', 'one']);
  expect(history.entries).toEqual(['one', 'two', 'one']);
});

test('Ctrl-D ends where nothing is typed, and removes a character elsewhere', async () => {
  const { type, read } = open();
  type('ab\x01\x04\r\x04');
  expect(await read()).toBe('b');
  expect(await read()).toBe('end');
});

test('the end of the keys is the end', async () => {
  const { editor, type, read } = open();
  type('half');
  const reading = read();
  editor.close();
  expect(await reading).toBe('end');
});

test('a tab completes as far as it is clear, and the second shows what there is', async () => {
  const { type, read, written } = open({ words: ['hello', 'helium', 'world'] });
  type('w\t he\t\t\r');
  expect(await read()).toBe('world hel');
  expect(written.join('')).not.toContain('hello');
  type('x hel\t\tl\t\r');
  expect(await read()).toBe('x hello');
  expect(written.join('')).toContain('hello   helium\r\n');
});

test('Ctrl-C ends a completion that takes long', async () => {
  const { type, read } = open({
    complete: (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ start: 0, texts: [] }));
      }),
  });
  const reading = read();
  type('a\t');
  await new Promise((resolve) => setTimeout(resolve, 5));
  type('\x03b\r');
  expect(await reading).toBe('b');
});
