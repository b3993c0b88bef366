import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Project, isFileName, projectFromHash, projectToHash, singleFile } from './project.ts';

const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}$/);
const project: fc.Arbitrary<Project> = fc
  .uniqueArray(fc.record({ name, text: fc.string({ unit: 'binary' }) }), {
    minLength: 1,
    maxLength: 5,
    selector: (file) => file.name,
  })
  .chain((files) =>
    fc.record({
      files: fc.constant(files),
      active: fc.constantFrom(...files.map((file) => file.name)),
      strict: fc.boolean(),
    }),
  );

test('a link brings the project back', async () => {
  await fc.assert(
    fc.asyncProperty(project, async (made) => {
      const hash = await projectToHash(made);
      expect(hash).toMatch(/^1\.[A-Za-z0-9_-]+$/);
      expect(await projectFromHash(`#${hash}`)).toEqual(made);
    }),
    { numRuns: 100 },
  );
});

test('what is no link of this form is nothing', async () => {
  const hash = await projectToHash(singleFile('1 + 1'));
  const others = ['', '#', '#1.', '#1.AAAA', `#2${hash.slice(1)}`, `#${hash.slice(0, -4)}`, '#1.***'];
  for (const other of others) expect(await projectFromHash(other)).toBeUndefined();
});

/** Compresses what no project is, as a link would have it. */
async function linkOf(kept: unknown): Promise<string> {
  const { deflateRawSync } = await import('node:zlib');
  return `#1.${deflateRawSync(JSON.stringify(kept)).toString('base64url')}`;
}

test.each([
  [{}],
  [{ f: [] }],
  [{ f: [['a.nix']] }],
  [{ f: [['../a', '1']] }],
  [
    {
      f: [
        ['a', '1'],
        ['a', '2'],
      ],
    },
  ],
  [null],
  [{ f: [['a', 'x'.repeat(5_000_000)]] }],
])('what is no project is nothing, %#', async (kept) => {
  expect(await projectFromHash(await linkOf(kept))).toBeUndefined();
});

test('an unknown shown file is the first one', async () => {
  const link = await linkOf({ f: [['a.nix', '1']], a: 'b.nix' });
  expect(await projectFromHash(link)).toEqual({
    files: [{ name: 'a.nix', text: '1' }],
    active: 'a.nix',
    strict: false,
  });
});

test.each([
  ['a.nix', true],
  ['.a', false],
  ['a/b', false],
  ['', false],
  ['..', false],
])('a name of a file: %s', (text, expected) => {
  expect(isFileName(text)).toBe(expected);
});
