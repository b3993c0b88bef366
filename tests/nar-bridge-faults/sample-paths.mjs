// Store paths with true narinfos, from a seed: what an honest client puts, and what a lying one changes.

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Random } from '../lib/random.mjs';
import { nixBase32, storePathOfNar } from '../store/store-path.mjs';

/**
 * @typedef {object} SamplePath
 * @property {string} storePath
 * @property {string} hashPart
 * @property {Buffer} nar
 * @property {Buffer} file the NAR as it is put
 * @property {string} url
 * @property {Record<string, string>} fields of the narinfo
 */

export const sha256 = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest();
export const hashText = (/** @type {Uint8Array} */ bytes) => `sha256:${nixBase32(sha256(bytes))}`;

const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
});

/** As a cache is told of it. */
export const publicKey = `test-1:${createPublicKey(key)
  .export({ format: 'der', type: 'spki' })
  .subarray(-32)
  .toString('base64')}`;

/** @param {string} text */
function string(text) {
  return strings(Buffer.from(text));
}

/** @param {Buffer} bytes */
function strings(bytes) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}

/** @param {readonly (readonly [string, Buffer])[]} files sorted by name */
function narOfFiles(files) {
  const entries = files.flatMap(([name, contents]) => [
    ...['entry', '(', 'name', name, 'node', '(', 'type', 'regular', 'contents'].map(string),
    strings(contents),
    ...[')', ')'].map(string),
  ]);
  return Buffer.concat([...['nix-archive-1', '(', 'type', 'directory'].map(string), ...entries, string(')')]);
}

/**
 * @param {number} seed
 * @param {{ size?: number, isCompressed?: boolean, references?: readonly SamplePath[] }} [options] `size` is about that of the NAR
 * @returns {SamplePath}
 */
export function samplePath(seed, { size, isCompressed, references = [] } = {}) {
  const random = new Random(seed);
  const total = size ?? 200 + random.below(random.oneIn(5) ? 2_000_000 : 60_000);
  const count = 1 + random.below(6);
  const files = Array.from({ length: count }, (_, index) => {
    const contents = Buffer.alloc(Math.ceil(total / count));
    for (let i = 0; i + 4 <= contents.length; i += 4 + random.below(40))
      contents.writeUInt32LE(random.next(), i);
    return /** @type {const} */ ([`file-${index}`, contents]);
  });
  const nar = narOfFiles(files);
  const storePath = storePathOfNar(`sample-${seed}`, sha256(nar).toString('hex'));
  return describePath({ storePath, nar, isCompressed: isCompressed ?? random.oneIn(2), references });
}

/**
 * @param {{ storePath: string, nar: Buffer, isCompressed?: boolean, references?: readonly SamplePath[] }} what
 * @returns {SamplePath}
 */
export function describePath({ storePath, nar, isCompressed = false, references = [] }) {
  const file = isCompressed ? gzipSync(nar, { level: 1 }) : nar;
  const url = `nar/${nixBase32(sha256(file))}.nar${isCompressed ? '.gz' : ''}`;
  const fields = {
    StorePath: storePath,
    URL: url,
    Compression: isCompressed ? 'gzip' : 'none',
    FileHash: hashText(file),
    FileSize: String(file.length),
    NarHash: hashText(nar),
    NarSize: String(nar.length),
    References: references.map((it) => it.storePath.slice('/nix/store/'.length)).join(' '),
  };
  const hashPart = storePath.slice('/nix/store/'.length).slice(0, 32);
  return { storePath, hashPart, nar, file, url: `/${url}`, fields: signed(fields) };
}

/** By the key of `publicKey`. @param {Record<string, string>} fields @returns {Record<string, string>} */
export function signed(fields) {
  const references = (fields['References'] ?? '').split(' ').filter(Boolean);
  const parts = [
    ...['1', fields['StorePath'], fields['NarHash'], fields['NarSize']],
    references.map((it) => `/nix/store/${it}`).join(','),
  ];
  const signature = sign(null, Buffer.from(parts.join(';')), key).toString('base64');
  return { ...fields, Sig: `test-1:${signature}` };
}

/** @param {Record<string, string | undefined>} fields */
export function narInfoText(fields) {
  const lines = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Buffer.from(lines.map(([name, value]) => `${name}: ${value}\n`).join(''), 'latin1');
}

/** @param {Buffer} text @returns {Record<string, string>} */
export function parseFields(text) {
  const lines = text.toString('latin1').trim().split('\n');
  return Object.fromEntries(
    lines.map((it) => [it.slice(0, it.indexOf(': ')), it.slice(it.indexOf(': ') + 2)]),
  );
}
