// Which texts are refused was asked of Nix 2.34.8 (`nix derivation show` of such files); our messages say in addition where.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteKey, compareBytes, decodeUtf8, Digest, encodeUtf8, keyBytes } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { Derivation, DerivationOutput } from './index.ts';
import {
  NixCompatError,
  StoreDirectory,
  StorePath,
  parseDerivation,
  printDerivation,
  storePathSet,
} from './index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const options = { name: 'x', store };
const path = '/nix/store/8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-x';

function text(
  parts: Partial<Record<'outputs' | 'inputs' | 'sources' | 'args' | 'env', string>> = {},
): string {
  const { outputs = `("out","${path}","","")`, inputs = '', sources = '', args = '', env = '' } = parts;
  return `Derive([${outputs}],[${inputs}],[${sources}],"sys","/bin/sh",[${args}],[${env}])`;
}

describe('what Nix would not write', () => {
  test.each([
    ['outputs out of order', { outputs: `("out","${path}","",""),("dev","${path}","","")` }],
    ['sources out of order', { sources: `"${path}-b","${path}-a","${path}-a"` }],
    ['inputs and their outputs', { inputs: `("${path}b.drv",["out","a","a"]),("${path}a.drv",["out"])` }],
    ['variables', { env: '("b","1"),("a","2")' }],
  ])('%s come in order', (_, parts) => {
    const derivation = parseDerivation(encodeUtf8(text(parts)), options);
    const printed = printDerivation(derivation, store);
    expect(decodeUtf8(printed)).not.toBe(text(parts));
    expect(parseDerivation(printed, options)).toEqual(derivation);
  });

  test('of outputs with the same name the first counts, of variables and inputs the last', () => {
    const derivation = parseDerivation(
      encodeUtf8(
        text({
          outputs: '("out","","r:sha256",""),("out","","","")',
          env: '("a","1"),("a","2")',
          inputs: `("${path}.drv",["a"]),("${path}.drv",["b"])`,
        }),
      ),
      options,
    );
    expect(derivation.outputs.get('out')).toEqual({ kind: 'floating', method: 'nar', algorithm: 'sha256' });
    expect(derivation.environment).toEqual(new Map([['a', encodeUtf8('2')]]));
    expect(derivation.inputDerivations.map(({ outputs }) => outputs)).toEqual([['b']]);
  });

  test('any byte after a backslash stands for itself', () => {
    const derivation = parseDerivation(encodeUtf8(text({ args: String.raw`"\a\"\\\n\'"` })), options);
    expect(decodeUtf8(derivation.args[0] ?? new Uint8Array())).toBe('a"\\\n\'');
  });
});

describe('refused', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /does not start with 'Derive' or 'DrvWithVersion' \(at byte 0\)/],
    ['Derive', /does not start/],
    ['DrvWithVersion("xp-dyn-drv",[', /dynamic derivations/],
    ['DrvWithVersion("2",', /Unknown derivation ATerm format version '2'/],
    [text().slice(0, -1), /expected string '\)' \(at byte 9\d\)/],
    [`${text()} `, /something after/],
    [text({ args: '"a' }), /unterminated|expected/],
    ['Derive([("out', /unterminated string in derivation \(at byte 10\)/],
    [String.raw`Derive([("out\"`, /unterminated string/],
    [text({ outputs: '("out","/nix/store/x","","")' }), /too short to be a valid store path \(at byte 15\)/],
    [text({ outputs: '("out","/tmp/x","","")' }), /not in the Nix store/],
    [text({ outputs: `("out","${path}/","","")` }), /not in the Nix store|illegal/],
    [text({ outputs: '("out","","sha3","")' }), /unknown hash algorithm 'sha3'/],
    [text({ outputs: `("out","${path}","sha256","00")` }), /00/],
    [text({ outputs: '("out","","sha256","00")' }), /should specify its output path/],
    [text({ outputs: `("out","${path}","sha256","")` }), /should not specify output path/],
    [text({ outputs: `("out","${path}","sha256","impure")` }), /should not specify output path/],
    [
      text({ outputs: `("out","${path}","sha256","sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")` }),
      /bare/,
    ],
    [text({ outputs: `("ü","${path}","","")` }), /illegal character 'ü' \(at byte 9\)/],
    [text({ outputs: `("","${path}","","")` }), /name must not be empty/],
    [text({ inputs: `("${path}.drv",["a b"])` }), /illegal character ' '/],
    [text({ env: '("a")' }), /expected string ','/],
    [text({ env: '("a","b"]' }), /expected string '\)'/],
    [text({ inputs: `("${path}.drv",(["out"],[]))` }), /expected string '\['/],
  ];
  test.each(cases)('%s', (bytes, problem) => {
    const parse = (): unknown => parseDerivation(encodeUtf8(bytes), options);
    expect(parse).toThrow(NixCompatError);
    expect(parse).toThrow(problem);
    expect(parse).toThrow(/'x'/);
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/);
const storePath = fc
  .tuple(fc.stringMatching(/^[0-9a-df-np-sv-z]{32}$/), name)
  .map(([hashPart, it]) => new StorePath(hashPart, it));
const bytes = fc.uint8Array({ maxLength: 30 });
const algorithm = fc.constantFrom('sha256', 'sha512', 'sha1', 'md5' as const);
const method = fc.constantFrom('flat', 'nar', 'text', 'git' as const);
const output: fc.Arbitrary<DerivationOutput> = fc.oneof(
  storePath.map((it) => ({ kind: 'input-addressed' as const, path: it })),
  fc.record({
    kind: fc.constant('fixed' as const),
    path: storePath,
    method,
    digest: fc.tuple(algorithm, bytes).map(([it, seed]) => new Digest(it, nodeHashes.hash(it, seed).bytes)),
  }),
  fc.record({ kind: fc.constantFrom('floating', 'impure' as const), method, algorithm }),
  fc.constant({ kind: 'deferred' as const }),
);
const byName = <T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> =>
  new Map([...new Map(entries)].sort(([a], [b]) => compareBytes(keyBytes(a), keyBytes(b))));
const derivation: fc.Arbitrary<Derivation> = fc.record({
  name: fc.constant('x'),
  outputs: fc.array(fc.tuple(name, output), { maxLength: 3 }).map(byName),
  inputSources: fc.array(storePath, { maxLength: 3 }).map(storePathSet),
  inputDerivations: fc
    .array(fc.tuple(storePath, fc.array(name, { maxLength: 3 })), { maxLength: 3 })
    .map((inputs) =>
      [
        ...new Map(
          inputs.map(([it, outputs]) => [it.baseName, { path: it, outputs: [...new Set(outputs)].sort() }]),
        ),
      ]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, it]) => it),
    ),
  system: name.map(encodeUtf8),
  builder: bytes,
  args: fc.array(bytes, { maxLength: 3 }),
  environment: fc.array(fc.tuple(bytes.map(byteKey), bytes), { maxLength: 4 }).map(byName),
});

test('what is printed is read again, whatever bytes it holds', () => {
  fc.assert(
    fc.property(derivation, (it) => {
      const printed = printDerivation(it, store);
      const again = parseDerivation(printed, options);
      expect(again).toEqual(it);
      expect(printDerivation(again, store)).toEqual(printed);
    }),
  );
});

test('a text that is cut off is refused', () => {
  fc.assert(
    fc.property(derivation, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (it, part) => {
      const printed = printDerivation(it, store);
      const cut = printed.subarray(0, Math.floor(printed.length * part));
      expect(() => parseDerivation(cut, options)).toThrow(NixCompatError);
    }),
  );
});
