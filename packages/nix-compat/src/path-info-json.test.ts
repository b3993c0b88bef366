// The forms themselves are checked with the golden files of Nix by `npm run conformance`.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import {
  NixCompatError,
  type NarListing,
  fingerprintRealisation,
  hashedRealisationOfJson,
  hashedRealisationToJson,
  narListingToJson,
  parseDerivedPath,
  parseJson,
  parseNarListing,
  parsePathInfoJson,
  parseSingleDerivedPath,
  pathInfoToJson,
  printDerivedPath,
  printJson,
  printSingleDerivedPath,
  realisationOfJson,
  realisationToJson,
} from './index.ts';
import * as any from '../tests/protocol-values.ts';

const { store } = any;
const read = (text: string): ReturnType<typeof parseJson> => parseJson(encodeUtf8(text));

describe('JSON comes out as it went in', () => {
  test('path infos', () => {
    const cached = fc
      .tuple(
        any.pathInfo,
        fc.record({
          url: any.optional(fc.string()),
          compression: any.optional(fc.constant('zstd' as const)),
          fileHash: any.optional(any.sha256),
          fileSize: any.optional(fc.maxSafeNat()),
        }),
      )
      .map(([info, more]) => ({ ...info, ...more }));
    fc.assert(
      fc.property(cached, fc.constantFrom(1 as const, 2 as const, 3 as const), (it, version) => {
        const json = printJson(pathInfoToJson(it, { store, version }));
        expect(parsePathInfoJson(read(json), store)).toEqual(it);
      }),
    );
  });

  test('realisations', () => {
    const keyed = fc.record({
      drvPath: any.drvPath,
      outputName: any.name,
      outPath: any.storePath,
      signatures: any.signatures,
    });
    fc.assert(
      fc.property(
        keyed,
        any.hashedRealisation,
        fc.constantFrom('text' as const, 'object' as const),
        (it, hashed, form) => {
          expect(realisationOfJson(read(printJson(realisationToJson(it, form))))).toEqual({ ...it });
          expect(hashedRealisationOfJson(read(printJson(hashedRealisationToJson(hashed, form))))).toEqual(
            hashed,
          );
          expect(fingerprintRealisation(it)).toBe(fingerprintRealisation({ ...it, signatures: [] }));
        },
      ),
    );
  });

  test('listings of archives', () => {
    const { listing } = fc.letrec<{ listing: NarListing }>((tie) => ({
      listing: fc.oneof(
        { maxDepth: 3 },
        fc.record({
          kind: fc.constant('regular' as const),
          executable: fc.boolean(),
          size: any.optional(fc.maxSafeNat()),
          narOffset: any.optional(fc.maxSafeNat()),
        }),
        fc.record({ kind: fc.constant('symlink' as const), target: fc.string() }),
        fc
          .array(fc.tuple(fc.string(), any.optional(tie('listing'))), { maxLength: 3 })
          .map((them) => ({ kind: 'directory' as const, entries: new Map(them) })),
      ),
    }));
    fc.assert(
      fc.property(listing, (it) => {
        expect(parseNarListing(read(printJson(narListingToJson(it))))).toEqual({ ...it });
      }),
    );
  });

  test('derived paths', () => {
    fc.assert(
      fc.property(any.derivedPath, any.singleDerivedPath, (it, single) => {
        expect(parseDerivedPath(printDerivedPath(it, store), store)).toEqual({ ...it });
        expect(parseSingleDerivedPath(printSingleDerivedPath(single, store), store)).toEqual({ ...single });
      }),
    );
  });
});

describe('what is refused', () => {
  const path = '/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo.drv';
  test.each([
    ['an array', () => parsePathInfoJson(read('[]'), store)],
    ['version 4', () => parsePathInfoJson(read('{"version":4}'), store)],
    ['no hash', () => parsePathInfoJson(read('{"narSize":1,"references":[]}'), store)],
    ['a hash without its algorithm', () => parsePathInfoJson(read('{"narHash":"AA=="}'), store)],
    ['a listing without a type', () => parseNarListing(read('{"size":1}'))],
    ['a link without a target', () => parseNarListing(read('{"type":"symlink"}'))],
    ['a size that is a text', () => parseNarListing(read('{"type":"regular","size":"1"}'))],
    ['no outputs', () => parseDerivedPath(`${path}!`, store)],
    ['an output that is no name', () => parseDerivedPath(`${path}!a/b`, store)],
    ['an output of any output', () => parseDerivedPath(`${path}!*!out`, store)],
    ['what is not in the store', () => parseDerivedPath('/tmp/x!out', store)],
    ['an output without end', () => parseSingleDerivedPath(path + '!out'.repeat(1000), store)],
    ['a realisation without a key', () => realisationOfJson(read('{"value":{}}'))],
    ['a realisation whose name has no hash', () => hashedRealisationOfJson(read('{"id":"out"}'))],
  ])('%s', (_, run) => {
    expect(run).toThrow(NixCompatError);
  });
});
