// What comes back is what went in, and the store of whoever goes on from an image is told the same.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BytesError, concatBytes, encodeUtf8 } from '@neve/bytes';
import type { PathSet } from '@neve/eval';
import { type Added, decodeDescribed, encodeDescribed } from './index.ts';

const bytes = (): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: 300 });
const name = (): fc.Arbitrary<string> => fc.string({ minLength: 1, unit: 'binary' });

class Paths implements PathSet {
  readonly #paths: readonly Uint8Array[];

  constructor(paths: readonly Uint8Array[]) {
    this.#paths = paths;
  }

  has(): never {
    throw new Error('only the paths are wanted');
  }

  paths(): Iterable<Uint8Array> {
    return this.#paths;
  }
}

const derivation = fc.record({
  kind: fc.constant('derivation' as const),
  request: fc.record({ name: name(), contents: bytes(), storePath: name() }),
});
const text = fc.record({
  kind: fc.constant('text' as const),
  request: fc.record({ name: name(), contents: bytes(), references: fc.array(name()) }),
  storePath: name(),
});
const path = fc.record({
  kind: fc.constant('path' as const),
  request: fc.record({
    path: bytes(),
    name: name(),
    method: fc.constantFrom('flat', 'nar', 'text', 'git'),
    hashAlgorithm: fc.constantFrom('md5', 'sha1', 'sha256', 'sha512'),
    accepted: fc.option(
      fc.array(bytes()).map((it) => new Paths(it)),
      { nil: undefined },
    ),
    expected: fc.option(bytes(), { nil: undefined }),
  }),
  added: fc.record({ storePath: name(), digest: bytes() }),
});
const anything: fc.Arbitrary<Added> = fc.oneof(derivation, text, path);

/** With accepted paths as plain data. */
function plain(added: Added): unknown {
  if (added.kind !== 'path') return added;
  const { accepted, ...request } = added.request;
  return { ...added, request: { ...request, accepted: accepted && [...(accepted.paths?.() ?? [])] } };
}

test('what was described comes back, from several messages in a row as from one', () => {
  fc.assert(
    fc.property(fc.array(anything), fc.array(anything), (first, second) => {
      const message = concatBytes([encodeDescribed(first), encodeDescribed(second)]);
      expect([...decodeDescribed(message)].map(plain)).toEqual([...first, ...second].map(plain));
    }),
  );
});

test('a filter accepts what it has accepted', () => {
  const accepted = new Paths([encodeUtf8('a'), encodeUtf8('a/b')]);
  const request = {
    path: encodeUtf8('/a'),
    name: 'a',
    method: 'nar',
    hashAlgorithm: 'sha256',
    accepted,
  } as const;
  const added = { storePath: '/nix/store/a', digest: new Uint8Array(32) };
  const [found] = decodeDescribed(encodeDescribed([{ kind: 'path', request, added }]));
  const filter = found?.kind === 'path' ? found.request.accepted : undefined;
  const isAccepted = (it: string): boolean | undefined => filter?.has(encodeUtf8(it));
  expect(['a', 'a/b', 'b', ''].map(isAccepted)).toEqual([true, true, false, false]);
});

test('what is cut off is no message', () => {
  const storePath = '/nix/store/x.drv';
  const request = { name: 'x', contents: encodeUtf8('Derive'), storePath };
  const message = encodeDescribed([{ kind: 'derivation', request }]);
  expect(() => [...decodeDescribed(message.subarray(0, -1))]).toThrow(BytesError);
});
