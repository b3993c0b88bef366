import { expect, test } from 'vitest';
import type { HashFunctions } from './hasher.ts';
import { hashesBySize } from './hashes-by-size.ts';
import { nodeHashes } from './node/index.ts';

/** Hashes that write down who was asked. */
function recording(): { hashes: HashFunctions; asked: string[] } {
  const asked: string[] = [];
  const hashes = hashesBySize({
    small(algorithm, bytes) {
      asked.push(`small ${bytes.length}`);
      return nodeHashes.hash(algorithm, bytes);
    },
    large() {
      asked.push('large');
      return nodeHashes;
    },
    largeBytes: 10,
  });
  return { hashes, asked };
}

const input = Uint8Array.from({ length: 40 }, (_, i) => i * 7);

function check({ pieces, asked: expected }: { pieces: readonly number[]; asked: readonly string[] }): void {
  const { hashes, asked } = recording();
  const hasher = hashes.create('sha256');
  let length = 0;
  for (const piece of pieces) hasher.update(input.subarray(length, (length += piece)));
  const whole = nodeHashes.hash('sha256', input.subarray(0, length));
  expect(hasher.digest().format('hex')).toBe(whole.format('hex'));
  expect(asked).toEqual(expected);
  expect(hashes.hash('sha256', input.subarray(0, length)).format('hex')).toBe(whole.format('hex'));
}

test('pieces have the digest of the whole, from whom their length asks for', () => {
  check({ pieces: [], asked: ['small 0'] });
  check({ pieces: [9], asked: ['small 9'] });
  check({ pieces: [3, 3, 3], asked: ['small 9'] });
  check({ pieces: [1, 0, 5, 1], asked: ['small 7'] });
  check({ pieces: [10], asked: ['large'] });
  check({ pieces: [3, 3, 3, 1], asked: ['large'] });
  check({ pieces: [9, 20, 1, 1], asked: ['large'] });
});

test('bytes may change after they were given', () => {
  const { hashes } = recording();
  const bytes = Uint8Array.of(1, 2, 3);
  const hasher = hashes.create('sha1');
  hasher.update(bytes);
  bytes.fill(0);
  expect(hasher.digest().bytes).toEqual(nodeHashes.hash('sha1', Uint8Array.of(1, 2, 3)).bytes);
});
