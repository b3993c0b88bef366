/** Trees out of members; the expectations are those of the table in `archive-tree.ts` and of Snix's own tests. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ArchivePath } from './archive-member.ts';
import { ArchiveTree, type StripRoot } from './archive-tree.ts';

const path = (text: string): ArchivePath => text.split('/').filter(Boolean).map(encodeUtf8);

/** `d dir`, `f file value`, `l link -> target`, `h link = target`. */
function build(lines: readonly string[]): ArchiveTree<string> {
  const tree = new ArchiveTree<string>();
  for (const line of lines) {
    const [kind, name = '', middle = '', last = ''] = line.split(' ');
    if (kind === 'd') tree.add({ kind: 'directory', path: path(name) });
    else if (kind === 'f')
      tree.add({ kind: 'file', path: path(name), executable: false, sizeBytes: 1, value: middle });
    else if (kind === 'l') tree.add({ kind: 'symlink', path: path(name), target: encodeUtf8(last) });
    else tree.add({ kind: 'hardlink', path: path(name), target: path(last) });
  }
  return tree;
}

function show(tree: ArchiveTree<string>, strip: StripRoot): string[] {
  return [...tree.entries(strip)].map((it) => {
    const name = it.path.map(decodeUtf8).join('/') || '.';
    if (it.kind === 'directory') return `d ${name}`;
    return it.kind === 'file' ? `f ${name} ${it.value}` : `l ${name} -> ${decodeUtf8(it.target)}`;
  });
}

test.each<readonly [string, readonly string[], StripRoot, readonly string[]]>([
  [
    'children first, names in order',
    ['f b 1', 'f a/y 2', 'f a/x 3', 'f a.b 4'],
    'never',
    ['f a/x 3', 'f a/y 2', 'd a', 'f a.b 4', 'f b 1', 'd .'],
  ],
  ['nothing is an empty directory', [], 'never', ['d .']],
  ['strip', ['d top', 'f top/a 1'], 'always', ['f a 1', 'd .']],
  ['strip to a file', ['f top 1'], 'always', ['f . 1']],
  ['one directory is stripped', ['f top/a 1'], 'single-directory', ['f a 1', 'd .']],
  ['one file is not', ['f a 1'], 'single-directory', ['f a 1', 'd .']],
  ['nor are two', ['d a', 'd b'], 'single-directory', ['d a', 'd b', 'd .']],
  ['the root may be a member', ['d .', 'f a 1'], 'never', ['d .', 'f a 1'].toReversed()],
  ['directories twice', ['f a/b 1', 'd a'], 'always', ['f b 1', 'd .']],
  ['the later file', ['f a 1', 'f a 2'], 'never', ['f a 2', 'd .']],
  ['a file over an empty directory', ['d a', 'd a/b', 'f a/b 1'], 'always', ['f b 1', 'd .']],
  ['a link over a file', ['f a 1', 'l a -> x'], 'never', ['l a -> x', 'd .']],
  ['a hard link', ['f a 1', 'h b = a', 'f a 2'], 'never', ['f a 2', 'f b 1', 'd .']],
  ['a hard link to a symlink', ['l a -> x', 'h b = a'], 'never', ['l a -> x', 'l b -> x', 'd .']],
  ['a hard link to itself', ['f a 1', 'h a = a'], 'never', ['f a 1', 'd .']],
])('%s', (_, lines, strip, expected) => {
  const cleaned = lines.map((line) => (line === 'd .' ? 'd ' : line));
  expect(show(build(cleaned), strip)).toEqual(expected);
});

test.each<readonly [string, readonly string[], RegExp]>([
  ['below a symlink', ['l a -> /etc', 'f a/passwd 1'], /'a\/passwd' lies below 'a', which is a symlink/],
  ['deep below a symlink', ['l x/a -> /etc', 'd x/a/b/c'], /'x\/a\/b\/c' lies below 'x\/a'/],
  ['below a file', ['f a 1', 'f a/b 1'], /below 'a', which is a file/],
  [
    'a directory over a symlink',
    ['l a -> /etc', 'd a'],
    /'a' is in the archive as a symlink and later as a directory/,
  ],
  ['a directory over a file', ['f a 1', 'd a'], /'a'/],
  [
    'a file over a full directory',
    ['f a/b 1', 'f a 1'],
    /'a' is in the archive as a file and as a directory/,
  ],
  ['a hard link to nothing', ['h b = a'], /'b' leads to 'a', which no earlier member is/],
  ['a hard link to a directory', ['d a', 'h b = a'], /is a directory/],
  ['a hard link through a symlink', ['f d/f 1', 'l a -> d', 'h b = a/f'], /no earlier member/],
])('refused: %s', (_, lines, message) => {
  expect(() => build(lines)).toThrow(message);
});

test.each([
  [[], /it has 0/],
  [['d a', 'd b'], /it has 2: 'a', 'b'/],
] as const)('always strip of %s', (lines, message) => {
  expect(() => show(build(lines), 'always')).toThrow(message);
});

test('a tree deeper than the stack', () => {
  const tree = new ArchiveTree<string>();
  tree.add({ kind: 'directory', path: Array.from({ length: 8192 }, () => encodeUtf8('d')) });
  let count = 0;
  for (const it of tree.entries('never')) if (it.kind === 'directory') count++;
  expect(count).toBe(8193);
});

test('names that are not UTF-8 are told apart', () => {
  const tree = new ArchiveTree<string>();
  for (const byte of [0xfe, 0xff]) {
    tree.add({
      kind: 'file',
      path: [Uint8Array.of(byte)],
      executable: false,
      sizeBytes: 0,
      value: String(byte),
    });
  }
  expect([...tree.entries('never')].length).toBe(3);
});

test('whatever comes, parents follow their children and the root is last', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const member = fc.tuple(fc.constantFrom('d', 'f'), fc.array(name, { minLength: 1, maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(member, { maxLength: 12 }), (members) => {
      const tree = new ArchiveTree<number>();
      for (const [kind, names] of members) {
        const at = names.map(encodeUtf8);
        try {
          if (kind === 'd') tree.add({ kind: 'directory', path: at });
          else tree.add({ kind: 'file', path: at, executable: false, sizeBytes: 0, value: 0 });
        } catch {
          continue;
        }
      }
      const names = [...tree.entries('never')].map((it) => it.path.map(decodeUtf8).join('/'));
      expect(names.at(-1)).toBe('');
      expect(new Set(names).size).toBe(names.length);
      names.forEach((it, index) => {
        const parent = it.split('/').slice(0, -1).join('/');
        if (it !== '') expect(names.indexOf(parent)).toBeGreaterThan(index);
      });
    }),
  );
});
