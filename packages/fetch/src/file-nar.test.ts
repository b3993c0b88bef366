/** Hashes are those that `nix-hash --sri` gives of the same files. */
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes as hashes } from '@neve/bytes/node';
import { expect, test } from 'vitest';
import { FileNar } from './file-nar.ts';

test.each([
  ['hello', 'sha256', false, 'sha256-CkMIecJm+LV/QJKg+TXPP6zUi7zN5XYNR0jKQFFx6Wk='],
  ['', 'sha256', false, 'sha256-d6xi4mKdjkX2JFicDIv5niSzpyI0m/Hnm8GGAIU04kY='],
  ['hello', 'sha256', true, 'sha256-nPgU+RLrmtRn2kdwJzkyQwL4jyzGNcs+Sdg8PgHVo94='],
  [
    'hello',
    'sha512',
    true,
    'sha512-TSjU0G3w2lZUzIIfGp+K8cVyudbWqA5wI88MDAMq4Slkr+Fxy4BtmZ9daWp5WZN8cgj/bWqrTiD2HK26Fvp0yw==',
  ],
] as const)('%j by %s, executable: %s', (text, algorithm, executable, hash) => {
  const nar = new FileNar({ hashes, algorithm, size: text.length, executable });
  for (const character of text) nar.update(encodeUtf8(character));
  expect(nar.finish()?.digest.format('sri')).toBe(hash);
});

test.each([4, 6])('a file that is said to have %d bytes and has 5 gets no hash', (size) => {
  const nar = new FileNar({ hashes, algorithm: 'sha256', size, executable: false });
  nar.update(encodeUtf8('hel'));
  nar.update(encodeUtf8('lo'));
  expect(nar.finish()).toBeUndefined();
});
