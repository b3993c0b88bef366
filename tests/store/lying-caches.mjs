// Binary caches in a folder, each with one path, whose narinfo or NAR is wrong. `lie.told` is signed, by a key that the
// composition trusts; `lie.forged` is not.

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { goodNar, malformedNars } from './malformed-nars.mjs';
import { nixBase32, storePathOfNar } from './store-path.mjs';

/** @typedef {Record<string, string | undefined>} NarInfo */

/**
 * @typedef {object} Lie
 * @property {string} name
 * @property {NarInfo} [told] instead of the truth; signed
 * @property {NarInfo} [forged] changed after it was signed
 * @property {(text: string) => string | Uint8Array} [written] what is done to the file itself
 * @property {Buffer} [nar] what is in the file of the NAR; the narinfo tells the truth about `goodNar`
 * @property {string} [cacheInfo]
 */

const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = createPublicKey(key)
  .export({ format: 'der', type: 'spki' })
  .subarray(-32)
  .toString('base64');

const sha256 = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest();
const other = '00000000000000000000000000000000-other';
const path = storePathOfNar('good', sha256(goodNar).toString('hex'));
const narFile = gzipSync(goodNar);
const hashOf = (/** @type {Uint8Array} */ bytes) => `sha256:${nixBase32(sha256(bytes))}`;
const wrongHash = hashOf(Buffer.from('something else'));
const narOf = (/** @type {string} */ name) =>
  malformedNars.find((it) => it.name === name)?.bytes ?? Buffer.alloc(0);

/** @type {NarInfo} */
const truth = {
  StorePath: path,
  URL: 'nar/good.nar.gz',
  Compression: 'gzip',
  FileHash: hashOf(narFile),
  FileSize: String(narFile.length),
  NarHash: hashOf(goodNar),
  NarSize: String(goodNar.length),
  References: '',
};

/** A bomb: little to download, and much more than the narinfo says. */
const bomb = gzipSync(Buffer.concat([goodNar.subarray(0, 24), Buffer.alloc(200_000_000)]));

/** A narinfo that tells the truth about a file that is no NAR. */
const narLie = (/** @type {string} */ name, /** @type {Buffer} */ bytes) => {
  const nar = gzipSync(bytes);
  const told = {
    FileHash: hashOf(nar),
    FileSize: String(nar.length),
    NarHash: hashOf(bytes),
    NarSize: String(Math.max(1, bytes.length)),
  };
  return { name: `a NAR with ${name}`, nar, told };
};

/** @type {Lie} */
export const goodNarInfo = { name: 'nothing wrong' };

/** @type {readonly Lie[]} */
export const lyingCaches = [
  ...Object.keys(truth)
    .filter((it) => !['References', 'FileHash', 'FileSize', 'Compression'].includes(it))
    .map((field) => ({ name: `no ${field}`, forged: { [field]: undefined } })),
  { name: 'no signature', forged: { Sig: undefined } },
  { name: 'a signature by nobody', forged: { Sig: `unknown-1:${Buffer.alloc(64).toString('base64')}` } },
  { name: 'a wrong signature', forged: { Sig: `test-1:${Buffer.alloc(64).toString('base64')}` } },
  { name: 'half a signature', forged: { Sig: `test-1:${Buffer.alloc(32).toString('base64')}` } },
  { name: 'a signature that is none', forged: { Sig: 'nonsense' } },
  { name: 'another NAR hash, forged', forged: { NarHash: wrongHash } },
  { name: 'another NAR hash, signed', told: { NarHash: wrongHash } },
  { name: 'another NAR size, forged', forged: { NarSize: '1000' } },
  { name: 'another NAR size, signed', told: { NarSize: '1000' } },
  { name: 'references, forged', forged: { References: other } },
  { name: 'another path', told: { StorePath: `/nix/store/${other}` } },
  { name: 'a path in another store', forged: { StorePath: path.replace('/nix/store', '/gnu/store') } },
  ...['', '/nix/store', '/nix/store/x', `${path}/bin`, `${path}\u0001`, '../../etc/passwd'].map((text) => ({
    name: `the path ${JSON.stringify(text)}`,
    forged: { StorePath: text },
  })),
  ...['sha256:x', 'md5:d41d8cd98f00b204e9800998ecf8427e', '', `sha512:${'0'.repeat(128)}`].map((text) => ({
    name: `the NAR hash ${JSON.stringify(text)}`,
    forged: { NarHash: text },
  })),
  ...['0', '-1', 'x', '1e3', '99999999999999999999', '0x10', ''].map((text) => ({
    name: `the NAR size ${JSON.stringify(text)}`,
    forged: { NarSize: text },
  })),
  { name: 'another file hash', forged: { FileHash: wrongHash } },
  { name: 'another file size', forged: { FileSize: '5' } },
  { name: 'an unknown compression', forged: { Compression: 'rar' } },
  { name: 'another compression', forged: { Compression: 'xz' } },
  ...['nar/missing.nar.gz', '../../../../../../etc/passwd', 'file:///etc/passwd', '/etc/passwd', ''].map(
    (text) => ({
      name: `the URL ${JSON.stringify(text)}`,
      forged: { URL: text },
    }),
  ),
  { name: 'references that are none', forged: { References: '../etc' } },
  { name: 'a deriver that is none', forged: { Deriver: 'nonsense' } },
  { name: 'a content address that is none', forged: { CA: 'fixed:r:sha256:x' } },
  { name: 'two paths', written: (text) => `${text}StorePath: ${path}\n` },
  { name: 'nothing', written: () => '' },
  { name: 'text', written: () => '<html>404 Not Found</html>\n' },
  { name: 'bytes that are no text', written: () => Buffer.alloc(1000, 0xff) },
  { name: 'half of it', written: (text) => text.slice(0, text.length / 2) },
  { name: 'a field that is cut off', written: (text) => text.replace(/^NarSize: .*$/m, 'NarSize') },
  { name: 'many megabytes', written: (text) => text + 'Sig: test-1:AAAA\n'.repeat(500_000) },
  narLie('nothing', Buffer.alloc(0)),
  narLie('text', Buffer.from('text')),
  ...['bytes after the end', 'the name "../../evil"', 'equal names', 'names in the wrong order'].map((name) =>
    narLie(name, narOf(name)),
  ),
  { name: 'a file that is cut off', nar: narFile.subarray(0, -10) },
  { name: 'a file of other bytes', nar: gzipSync('other bytes') },
  { name: 'a file that is not compressed', nar: goodNar },
  { name: 'a bomb', nar: bomb, told: { FileHash: hashOf(bomb), FileSize: String(bomb.length) } },
  { name: 'another store directory', cacheInfo: 'StoreDir: /gnu/store\n' },
];

/**
 * @param {{ folder: string, store: string, lie: Lie }} options `store` gets what the cache has
 * @returns {{ composition: string, path: string }}
 */
export function writeCache({ folder, store, lie }) {
  mkdirSync(join(folder, 'nar'), { recursive: true });
  writeFileSync(join(folder, 'nix-cache-info'), lie.cacheInfo ?? 'StoreDir: /nix/store\n');
  writeFileSync(join(folder, 'nar/good.nar.gz'), lie.nar ?? narFile);
  const told = { ...truth, ...lie.told };
  const references = (told['References'] ?? '')
    .split(' ')
    .filter(Boolean)
    .map((it) => `/nix/store/${it}`);
  const fingerprint = ['1', told['StorePath'], told['NarHash'], told['NarSize'], references.join(',')].join(
    ';',
  );
  const signature = sign(null, Buffer.from(fingerprint), key).toString('base64');
  const fields = { ...told, Sig: `test-1:${signature}`, ...lie.forged };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\n`],
  );
  const hashPart = path.slice('/nix/store/'.length).split('-')[0];
  const text = lines.join('');
  writeFileSync(join(folder, `${hashPart}.narinfo`), lie.written?.(text) ?? text);
  const composition = join(folder, 'store.toml');
  writeFileSync(composition, compositionText(folder, store));
  return { composition, path };
}

/**
 * @param {string} cache
 * @param {string} store
 */
function compositionText(cache, store) {
  const quoted = JSON.stringify(join(store, 'db'));
  return `[blobservices.root]
type = "file"
path = ${JSON.stringify(store)}
database = ${quoted}

[directoryservices.root]
type = "lmdb"
path = ${quoted}

[pathinfoservices.local]
type = "lmdb"
path = ${quoted}

[pathinfoservices.substituter]
type = "nix"
base_url = ${JSON.stringify(pathToFileURL(cache).href)}
public_keys = ["test-1:${publicKey}"]

[pathinfoservices.root]
type = "cache"
near = "&local"
far = "&substituter"
`;
}
