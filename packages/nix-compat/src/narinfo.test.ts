// The narinfos were written by Nix 2.34.8: `nix copy --to file://<cache>?compression=xz` of paths made by `nix-store
// --add-fixed`, `builtins.toFile` and `nix store add --mode git`, and signed by two keys with `nix store sign`. Whether a
// changed one is accepted was asked of `nix path-info --store file://<cache>`; where the answer is another here on
// purpose, the case says so.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Digest } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  type NarInfo,
  NixCompatError,
  StoreDirectory,
  StorePath,
  compressionExtensions,
  parseNarInfo,
  printNarInfo,
  storePathSet,
} from './index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);

const built = `StorePath: /nix/store/cc523z4jsbcilbic2n5d8ji5micwn1xz-out
URL: nar/0ag6yqiaq2wrxfm2dh8kcsqdz7bclxzv524y6bnm19a5iay483cl.nar.xz
Compression: xz
FileHash: sha256:0ag6yqiaq2wrxfm2dh8kcsqdz7bclxzv524y6bnm19a5iay483cl
FileSize: 240
NarHash: sha256:1ass8wir4j3hj6iisscdah18368hchbfaimbx3794316ycji5w2d
NarSize: 264
References: cc523z4jsbcilbic2n5d8ji5micwn1xz-out vvf235affyhw0fjwjb5lim1x4fjwanp7-text vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt
Deriver: ri9rxafxw3km795a7fkg8i388wr8vd7n-out.drv
Sig: neve-test-1:wzcM7yHEPWxkYVNQPHHq+NKAAra5DjdVd4AEUrwRAPDqFaSFDSss5rqI+OmMhwwIEj5LGQO8gMIRd0C23FlfCw==
Sig: other-2:c+cFCziAsbms4Ibc05ro/QBsXBaAd3zAoet0fpIhOxbqvxM5oXf4JqhcoYcLJ1PN6hYp7uzKwSdW+eO6LTNLBQ==
`;

const gitTree = `StorePath: /nix/store/aii3r793gx8p1n0wlr0rz5sgjqla8vlw-gittree
URL: nar/1krkkqjivrbxvpgwhrnajjwh3cpilm1hzlxr1m50qsx21n8gvhad.nar.xz
Compression: xz
FileHash: sha256:1krkkqjivrbxvpgwhrnajjwh3cpilm1hzlxr1m50qsx21n8gvhad
FileSize: 228
NarHash: sha256:1f15y24lw1npvv8cy3b6mlnr20h1vb7y6h30ar8kjl40s5rsxlr8
NarSize: 712
References: 
CA: fixed:git:sha1:02xynz90hvqqmwqp5r9is455341vlx57
`;

const text = `StorePath: /nix/store/vvf235affyhw0fjwjb5lim1x4fjwanp7-text
URL: nar/09gslrrzyh7j2m6slpgjj6q0j9jbam4w8lq615l1rgs0fzshlbx8.nar.xz
Compression: xz
FileHash: sha256:09gslrrzyh7j2m6slpgjj6q0j9jbam4w8lq615l1rgs0fzshlbx8
FileSize: 212
NarHash: sha256:0hqskphw9lijgc7d7wlawg4ysn1rdpyphaa0cs4cqqgiqg2245aa
NarSize: 224
References: j2qx04ifnrkgh9cv7mfq6sikpyczbndd-b-dep plc9xflrmjm82zzq1f1q04wpqp0fhkkf-a-dep
CA: text:sha256:0rfsjl99h7n8f8n25z69knndh7rv71rixhw7aqx5sjf5l50n9g2a
`;

test('reads what Nix writes', () => {
  const info = parseNarInfo(built, store);
  expect(info.storePath.baseName).toBe('cc523z4jsbcilbic2n5d8ji5micwn1xz-out');
  expect(info.url).toBe('nar/0ag6yqiaq2wrxfm2dh8kcsqdz7bclxzv524y6bnm19a5iay483cl.nar.xz');
  expect(info.compression).toBe('xz');
  expect(info.fileHash?.format('nix32')).toBe('0ag6yqiaq2wrxfm2dh8kcsqdz7bclxzv524y6bnm19a5iay483cl');
  expect(info.fileSize).toBe(240);
  // `nix path-info --json` of the same path.
  expect(info.narHash.format('sri')).toBe('sha256-TfASJfMmDJLO6KtG5RZkEJmBAlSNaR2jkXBIkiNHWqs=');
  expect(info.narSize).toBe(264);
  expect(info.references.map((path) => path.name)).toEqual(['out', 'text', 'neve.txt']);
  expect(info.deriver?.baseName).toBe('ri9rxafxw3km795a7fkg8i388wr8vd7n-out.drv');
  expect(info.signatures.map(({ keyName, bytes }) => [keyName, bytes.length])).toEqual([
    ['neve-test-1', 64],
    ['other-2', 64],
  ]);
  expect(info.contentAddress).toBeUndefined();
  expect(parseNarInfo(gitTree, store).contentAddress?.method).toBe('git');
});

test.each([built, gitTree, text])('writes what Nix writes', (narinfo) => {
  expect(printNarInfo(parseNarInfo(narinfo, store), store)).toBe(narinfo);
});

const changed = (key: string, value: string): string =>
  built.replace(new RegExp(`^${key}: .*$`, 'm'), `${key}: ${value}`);
const without = (key: string): string => built.replace(new RegExp(`^${key}: .*\n`, 'gm'), '');
const twice = (key: string): string => built + (new RegExp(`^${key}: .*\n`, 'm').exec(built)?.[0] ?? '');
const nar = '1ass8wir4j3hj6iisscdah18368hchbfaimbx3794316ycji5w2d';

describe('accepts', () => {
  test.each<[string, string, Partial<NarInfo>]>([
    ['no compression', without('Compression'), { compression: 'bzip2' }],
    ['an empty compression', changed('Compression', ''), { compression: 'bzip2' }],
    ['no file hash', without('FileHash'), { fileHash: undefined }],
    ['no file size', without('FileSize'), { fileSize: undefined }],
    ['a file size of 0', changed('FileSize', '0'), { fileSize: undefined }],
    ['zeroes in front of a number', changed('NarSize', '0264'), { narSize: 264 }],
    ['no references', changed('References', ''), { references: [] }],
    ['no line of references', without('References'), { references: [] }],
    ['no deriver', without('Deriver'), { deriver: undefined }],
    ['an unknown deriver', changed('Deriver', 'unknown-deriver'), { deriver: undefined }],
    ['no signature', without('Sig'), { signatures: [] }],
    ['an empty content address', `${built}CA: \n`, { contentAddress: undefined }],
    ['unknown keys', `System: x86_64-linux\n${built}Other: : x\n`, { narSize: 264 }],
  ])('%s', (_, narinfo, expected) => {
    expect(parseNarInfo(narinfo, store)).toEqual({ ...parseNarInfo(built, store), ...expected });
  });

  const hex = 'ab'.repeat(32);
  test.each([`sha256:${hex}`, 'sha256-q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s='])(
    'the hash %s',
    (hash) => {
      expect(parseNarInfo(changed('NarHash', hash), store).narHash.format('hex')).toBe(hex);
    },
  );

  test.each([
    ' vvf235affyhw0fjwjb5lim1x4fjwanp7-text vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt ',
    'vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt vvf235affyhw0fjwjb5lim1x4fjwanp7-text',
    'vvf235affyhw0fjwjb5lim1x4fjwanp7-text  vvf235affyhw0fjwjb5lim1x4fjwanp7-text vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt',
  ])('the references "%s"', (references) => {
    const info = parseNarInfo(changed('References', references), store);
    expect(info.references.map((path) => path.name)).toEqual(['text', 'neve.txt']);
  });

  test.each(Object.keys(compressionExtensions))('the compression %s', (name) => {
    expect(parseNarInfo(changed('Compression', name), store).compression).toBe(name);
  });
});

describe('refuses what Nix refuses', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'StorePath is missing'],
    ['a cut off file', built.slice(0, -1), 'line 11 does not end with a line feed'],
    ['an empty line', `${built}\n`, 'line 12 is not'],
    ['a line without a colon', `${built}Foo\n`, 'line 12 is not'],
    ['a key without a space', built.replace(/References: .*/, 'References:'), 'line 8 is not'],
    ['no store path', without('StorePath'), 'StorePath is missing'],
    ['no URL', without('URL'), 'URL is missing'],
    ['no hash', without('NarHash'), 'NarHash is missing'],
    ['no size', without('NarSize'), 'NarSize is missing'],
    ['an empty store path', changed('StorePath', ''), 'StorePath in line 1'],
    ['a base name', changed('StorePath', 'cc523z4jsbcilbic2n5d8ji5micwn1xz-out'), 'StorePath in line 1'],
    [
      'a path in another store',
      changed('StorePath', '/gnu/store/cc523z4jsbcilbic2n5d8ji5micwn1xz-out'),
      'StorePath in line 1',
    ],
    [
      'a path below a path',
      changed('StorePath', '/nix/store/cc523z4jsbcilbic2n5d8ji5micwn1xz-out/x'),
      'StorePath in line 1',
    ],
    ['an empty URL', changed('URL', ''), 'URL in line 2'],
    ['an empty hash', changed('NarHash', ''), 'NarHash in line 6'],
    ['a bare hash', changed('NarHash', nar), 'NarHash in line 6'],
    ['a short hash', changed('NarHash', 'sha256:abc'), 'NarHash in line 6'],
    ['a foreign character', changed('NarHash', `sha256:e${nar.slice(1)}`), 'NarHash in line 6'],
    ['a bad file hash', changed('FileHash', 'sha256:x'), 'FileHash in line 4'],
    ['a size of 0', changed('NarSize', '0'), 'NarSize in line 7: no NAR has 0 bytes'],
    ['an empty size', changed('NarSize', ''), 'NarSize in line 7'],
    ['a negative size', changed('NarSize', '-1'), 'NarSize in line 7'],
    ['letters in a size', changed('NarSize', '12x'), 'NarSize in line 7'],
    ['a space in front of a size', changed('NarSize', ' 264'), 'NarSize in line 7'],
    ['a size of 2^64', changed('NarSize', '18446744073709551616'), 'NarSize in line 7'],
    ['a bad file size', changed('FileSize', 'x'), 'FileSize in line 5'],
    ['a bad reference', changed('References', 'foo'), 'References in line 8'],
    [
      'an absolute reference',
      changed('References', '/nix/store/vvf235affyhw0fjwjb5lim1x4fjwanp7-text'),
      'References in line 8',
    ],
    ['references twice', twice('References'), 'References comes again in line 12, after line 8'],
    ['an empty deriver', changed('Deriver', ''), 'Deriver in line 9'],
    [
      'an absolute deriver',
      changed('Deriver', '/nix/store/ri9rxafxw3km795a7fkg8i388wr8vd7n-out.drv'),
      'Deriver in line 9',
    ],
    ['an empty signature', changed('Sig', ''), 'Sig in line 10'],
    ['a signature without a name', changed('Sig', ':AAAA'), 'Sig in line 10'],
    ['a signature without a colon', changed('Sig', 'foo'), 'Sig in line 10'],
    ['a signature that is not base 64', changed('Sig', 'foo:!!!!'), 'Sig in line 10'],
    ['a bad content address', `${built}CA: foo\n`, 'CA in line 12'],
    ['an unknown method', `${built}CA: fixed:x:sha256:${nar}\n`, 'CA in line 12'],
    ['an unknown algorithm', `${built}CA: fixed:r:sha3:${nar}\n`, 'CA in line 12'],
    ['two content addresses', `${text}CA: fixed:sha256:${nar}\n`, 'CA comes again in line 10, after line 9'],
    ['carriage returns', built.replaceAll('\n', '\r\n'), 'StorePath in line 1'],
  ])('%s', check);
});

describe('refuses what Nix takes', () => {
  test.each<[string, string, string]>([
    ...['StorePath', 'URL', 'Compression', 'FileHash', 'FileSize', 'NarHash', 'NarSize', 'Deriver'].map(
      (key) => [`${key} twice`, twice(key), `${key} comes again in line 12`] as [string, string, string],
    ),
    // Nix ignores what follows up to the next colon.
    ['an empty line in the middle', built.replace('Deriver', '\nDeriver'), 'line 9 is not'],
    // Nix skips one character after the colon, whatever it is.
    ['no space after the colon', built.replace('URL: ', 'URL:'), 'line 2 is not'],
    // Nix has 64-bit sizes, and reads a sign.
    ['a size of 2^53', changed('NarSize', '9007199254740992'), 'NarSize in line 7'],
    ['a sign', changed('NarSize', '+264'), 'NarSize in line 7'],
    // Nix would stop at the check of the hash, or when it prints one.
    ['another algorithm', changed('NarHash', 'sha1:s62r4720nhj6s2r5kbhzph3mk7m2gp89'), 'NarHash in line 6'],
    // Nix 2.34.8 finds this out when it downloads; 2.36 refuses it too.
    [
      'an unknown compression',
      changed('Compression', 'foo'),
      "Compression in line 3: unknown compression 'foo'",
    ],
    ['a compression in capitals', changed('Compression', 'NONE'), 'Compression in line 3'],
    // Nix finds these out when it verifies.
    ['a short signature', changed('Sig', 'foo:AAAA'), 'Sig in line 10'],
    ['a control character in a URL', changed('URL', 'nar/\u0007'), 'URL in line 2'],
    // There is no store path for these.
    [
      'a text with a SHA-1',
      `${built}CA: text:sha1:s62r4720nhj6s2r5kbhzph3mk7m2gp89\n`,
      'CA in line 12: content address',
    ],
  ])('%s', check);
});

function check(_: string, narinfo: string, problem: string): void {
  expect(() => parseNarInfo(narinfo, store)).toThrow(NixCompatError);
  expect(() => parseNarInfo(narinfo, store)).toThrow(`bad narinfo: ${problem}`);
}

test.each<[string, Partial<NarInfo>]>([
  ['a URL with a line feed', { url: 'nar/x\nNarSize: 1' }],
  ['a size of 0', { narSize: 0 }],
  ['another algorithm', { narHash: nodeHashes.hash('sha1', new Uint8Array(0)) }],
])('does not write %s', (_, wrong) => {
  expect(() => printNarInfo({ ...parseNarInfo(built, store), ...wrong }, store)).toThrow(NixCompatError);
});

const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Digest('sha256', bytes));
const storePath = fc
  .tuple(
    fc.stringMatching(/^[0-9a-df-np-sv-z]{32}$/),
    fc.stringMatching(/^[0-9a-zA-Z+_?=][0-9a-zA-Z+\-._?=]{0,20}$/),
  )
  .map(([hashPart, name]) => new StorePath(hashPart, name));
const size = fc.maxSafeNat().map((it) => Math.max(1, it));
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const narInfo: fc.Arbitrary<NarInfo> = fc.record({
  storePath,
  url: fc.stringMatching(/^[!-~]+$/),
  compression: fc.constantFrom(...(Object.keys(compressionExtensions) as NarInfo['compression'][])),
  fileHash: optional(sha256),
  fileSize: optional(size),
  narHash: sha256,
  narSize: size,
  references: fc.array(storePath, { maxLength: 5 }).map(storePathSet),
  deriver: optional(storePath),
  signatures: fc.array(
    fc.record({
      keyName: fc.stringMatching(/^[!-9;-~]+$/),
      bytes: fc.uint8Array({ minLength: 64, maxLength: 64 }),
    }),
    { maxLength: 3 },
  ),
  contentAddress: optional(
    fc.record({ method: fc.constantFrom('text', 'flat', 'nar', 'git'), digest: sha256 }),
  ),
});

test('what was written is read', () => {
  const property = fc.property(narInfo, (info) => {
    expect(parseNarInfo(printNarInfo(info, store), store)).toEqual(info);
  });
  fc.assert(property, { numRuns: 300 });
});
