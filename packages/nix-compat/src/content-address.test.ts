// Content addresses and paths were printed by Nix 2.34.8, in the narinfos of `nix copy` and in `nix path-info --json`, for
// paths made by `nix-store --add-fixed`, `nix store add --mode git`, `builtins.toFile` and `nix store
// make-content-addressed`.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Digest, digestLengths, type HashAlgorithm } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  type ContentAddressMethod,
  NixCompatError,
  StoreDirectory,
  contentAddressedPath,
  parseContentAddress,
  parseStorePath,
  printContentAddress,
} from './index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);

type Vector = {
  readonly text: string;
  readonly method: ContentAddressMethod;
  readonly path: string;
  readonly references?: readonly string[];
  readonly selfReference?: boolean;
};

test.each<Vector>([
  {
    text: 'fixed:r:sha256:17nzmxwi4q3zg8pyjwql06cy0m8arhly02rxvid32f7xbwgz1hfk',
    method: 'nar',
    path: 'vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt',
  },
  {
    text: 'fixed:r:sha512:1096p0vlx7xjb28wlnykf3qpd1phq0x3cmlgsavjh6kfvbm1ryhylj777lxj28wg8azya1ck9qhl0bs0q3jddxkgfkzpkzm4bp4h0hl',
    method: 'nar',
    path: '5d91n4bvx0vs91fgi7pi2k7c78mzhmz7-tree',
  },
  {
    text: 'fixed:sha1:s62r4720nhj6s2r5kbhzph3mk7m2gp89',
    method: 'flat',
    path: 'wn7bh290ynv3b7s7hfmimayfxmqqjxb2-neve.txt',
  },
  {
    text: 'fixed:git:sha1:02xynz90hvqqmwqp5r9is455341vlx57',
    method: 'git',
    path: 'aii3r793gx8p1n0wlr0rz5sgjqla8vlw-gittree',
  },
  {
    text: 'text:sha256:13ns0xymhkhgng27kis2x8w05bc8gw6nifqkg7r2npb3z0gfgqwc',
    method: 'text',
    path: 'j2qx04ifnrkgh9cv7mfq6sikpyczbndd-b-dep',
  },
  {
    text: 'text:sha256:0rfsjl99h7n8f8n25z69knndh7rv71rixhw7aqx5sjf5l50n9g2a',
    method: 'text',
    path: 'vvf235affyhw0fjwjb5lim1x4fjwanp7-text',
    references: ['j2qx04ifnrkgh9cv7mfq6sikpyczbndd-b-dep', 'plc9xflrmjm82zzq1f1q04wpqp0fhkkf-a-dep'],
  },
  {
    text: 'fixed:r:sha256:1q10yvvnabsy6h1g17ar4fdq9l6i5hq0vj5x9ifzrcmqlxmzm0rf',
    method: 'nar',
    path: 'yv7s0n7hk5qfrsa165bm4wiqd040p8sw-out',
    references: ['vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt', 'kwbdhpvmql26id81ii42c6jkkfja0gch-text'],
    selfReference: true,
  },
])('$text', ({ text, method, path, references = [], selfReference = false }) => {
  const contentAddress = parseContentAddress(text);
  expect(contentAddress.method).toBe(method);
  expect(printContentAddress(contentAddress)).toBe(text);
  const { name } = parseStorePath(path);
  const object = { name, contentAddress, references: references.map(parseStorePath), selfReference };
  expect(contentAddressedPath(store, object).baseName).toBe(path);
});

test.each([
  'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=',
])('reads the digest %s too', (digest) => {
  expect(printContentAddress(parseContentAddress(`fixed:r:sha256:${digest}`))).toBe(
    'fixed:r:sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s',
  );
});

const sha1 = 's62r4720nhj6s2r5kbhzph3mk7m2gp89';
const sha256 = '1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s';

describe('refuses', () => {
  test.each([
    '',
    'fixed',
    'fixed:',
    `sha256:${sha256}`,
    `fixed:${sha256}`,
    `fixed:x:sha256:${sha256}`,
    `text:r:sha256:${sha256}`,
    `fixed:r:sha3:${sha256}`,
    `fixed:r:sha256:${sha1}`,
    `fixed:r:sha256:${sha256}x`,
    `fixed:r:sha256:e${sha256.slice(1)}`,
    'fixed:r:sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=',
    'fixed:r:sha256:sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=',
    // Nix reads these, but has no store path for them.
    `text:sha1:${sha1}`,
    `fixed:git:md5:${'0'.repeat(26)}`,
  ])('"%s"', (text) => {
    expect(() => parseContentAddress(text)).toThrow(NixCompatError);
  });

  test.each([`fixed:sha256:${sha256}`, `fixed:r:sha1:${sha1}`, `fixed:git:sha1:${sha1}`])(
    'references of %s',
    (text) => {
      const object = { name: 'x', contentAddress: parseContentAddress(text) };
      const references = [parseStorePath('vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt')];
      expect(() => contentAddressedPath(store, { ...object, references })).toThrow(NixCompatError);
      expect(() => contentAddressedPath(store, { ...object, selfReference: true })).toThrow(NixCompatError);
    },
  );

  test('a text that refers to itself', () => {
    const contentAddress = parseContentAddress(`text:sha256:${sha256}`);
    const object = { name: 'x', contentAddress, selfReference: true };
    expect(() => contentAddressedPath(store, object)).toThrow('cannot refer to itself');
  });
});

const algorithms: Readonly<Record<ContentAddressMethod, readonly HashAlgorithm[]>> = {
  text: ['sha256'],
  flat: ['md5', 'sha1', 'sha256', 'sha512', 'blake3'],
  nar: ['md5', 'sha1', 'sha256', 'sha512', 'blake3'],
  git: ['sha1', 'sha256'],
};
const methods = Object.keys(algorithms) as ContentAddressMethod[];

const contentAddress = fc
  .constantFrom(
    ...methods.flatMap((method) => algorithms[method].map((algorithm) => ({ method, algorithm }))),
  )
  .chain(({ method, algorithm }) => {
    const length = digestLengths[algorithm];
    const bytes = fc.uint8Array({ minLength: length, maxLength: length });
    return bytes.map((bytes) => ({ method, digest: new Digest(algorithm, bytes) }));
  });

test('what was written is read', () => {
  const property = fc.property(contentAddress, (contentAddress) => {
    expect(parseContentAddress(printContentAddress(contentAddress))).toEqual(contentAddress);
  });
  fc.assert(property);
});
