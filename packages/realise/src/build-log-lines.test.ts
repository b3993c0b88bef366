import { encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BuildLogLines } from './build-log-lines.ts';

function told(pieces: readonly string[]): readonly string[] {
  const all: string[] = [];
  const lines = new BuildLogLines({
    line: (text) => all.push(text),
    phase: (name) => all.push(`phase ${name}`),
    message: (level, text) => all.push(`${level} ${text}`),
  });
  for (const piece of pieces) lines.write(encodeUtf8(piece));
  lines.end();
  return all;
}

test.each<[readonly string[], readonly string[]]>([
  [['a\nb\n'], ['a', 'b']],
  [
    ['a', 'b\n', 'c'],
    ['ab', 'c'],
  ],
  [['\n\n'], ['', '']],
  [[], []],
  [['10%\r50%\r100%\n'], ['100%']],
  [['windows\r\n'], ['windows']],
  [['@nix {"action":"setPhase","phase":"buildPhase"}\nx\n'], ['phase buildPhase', 'x']],
  [['@nix {"action":"msg","level":1,"msg":"careful"}\n'], ['1 careful']],
  [['@nix {"action":"start","id":1}\n'], []],
  [
    ['@nix is nice\n', '@nix [1]\n'],
    ['@nix is nice', '@nix [1]'],
  ],
])('%j', (pieces, expected) => {
  expect(told(pieces)).toEqual(expected);
});

test('a line without an end comes in parts', () => {
  const lines = told(['x'.repeat(200_000)]);
  expect(lines.map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 3392]);
});

test('where pieces end makes no difference', () => {
  const text = fc.stringMatching(/^[a-c\n\r]*$/);
  fc.assert(
    fc.property(fc.array(text), (pieces) => {
      expect(told(pieces)).toEqual(told([pieces.join('')]));
    }),
  );
});
