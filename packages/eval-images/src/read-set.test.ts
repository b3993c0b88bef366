import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PathRead, ReadSet, decodeReadSet, encodeReadSet } from './index.ts';

const text = fc.string({ unit: 'grapheme' }).map((it) => it.replaceAll('\0', ''));
const answer = fc.option(text, { nil: undefined });
const signature = fc.option(
  fc.tuple(fc.double(), fc.double(), fc.double(), fc.double(), fc.double(), fc.double()),
  { nil: undefined },
);
const regions = fc.integer({ min: 1, max: 3 });
const pathRead = fc
  .record({
    asked: fc.integer({ min: 1, max: 255 }),
    type: fc.constantFrom('absent', 'regular', 'directory', 'symlink', 'unknown', undefined),
    ...{ contents: answer, listing: answer, target: answer, signature, followed: signature },
  } as const)
  .map((it) => Object.assign(new PathRead(), it));
const readSet = fc
  .record({
    startedMs: fc.nat(),
    clock: fc.integer({ min: 0, max: 3 }),
    paths: fc.array(fc.tuple(text, pathRead)),
    variables: fc.array(fc.tuple(text, fc.record({ value: answer, regions }))),
    objects: fc.array(
      fc.tuple(
        text,
        fc.record({ regions, isThere: fc.option(fc.boolean(), { nil: undefined }), identity: answer }),
      ),
    ),
    obstacles: fc.array(fc.tuple(text, regions)),
    made: fc.array(text),
    messages: fc.array(fc.tuple(fc.uint8Array(), regions)),
    trees: fc.array(
      fc.record({
        path: text,
        method: fc.constantFrom('nar', 'flat'),
        algorithm: fc.constantFrom('sha256', 'sha1'),
        accepted: fc.option(fc.array(text), { nil: undefined }),
        digest: text,
        regions,
      } as const),
    ),
  })
  .map((given) => {
    const reads = new ReadSet();
    reads.startedMs = given.startedMs;
    reads.clock = given.clock;
    for (const [path, it] of given.paths) reads.paths.set(path, it);
    for (const [name, it] of given.variables) reads.variables.set(name, it);
    for (const [path, it] of given.objects) reads.objects.set(path, it);
    for (const [reason, it] of given.obstacles) reads.obstacles.set(reason, it);
    for (const path of given.made) reads.made.add(path);
    for (const [bytes, it] of given.messages) {
      reads.messages.push({ level: 'trace', text: bytes, about: undefined, regions: it });
    }
    for (const { regions: it, ...tree } of given.trees) reads.noteTree(tree, it);
    return reads;
  });

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(readSet, fc.nat(7), (reads, offset) => {
      const encoded = encodeReadSet(reads);
      // A buffer of Node's too, whose `slice` is no copy.
      const length = encoded.length + offset;
      const moved = (offset % 2 === 0 ? new Uint8Array(length) : Buffer.alloc(length)).subarray(offset);
      moved.set(encoded);
      expect(decodeReadSet(moved)).toEqual(reads);
    }),
  );
});

test('damage is noticed', () => {
  fc.assert(
    fc.property(readSet, fc.nat(), fc.integer({ min: 1, max: 255 }), (reads, at, by) => {
      const encoded = encodeReadSet(reads);
      const index = at % encoded.length;
      encoded[index] = (encoded[index] ?? 0) ^ by;
      expect(decodeReadSet(encoded)).toBeUndefined();
      expect(decodeReadSet(encodeReadSet(reads).subarray(0, index))).toBeUndefined();
    }),
  );
});
