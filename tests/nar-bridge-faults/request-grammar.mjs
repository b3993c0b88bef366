// Requests to a cache from a seed: methods, paths, headers and bodies that are right, nearly right, or neither. The paths are those
// of its OpenAPI document, whose parameters are filled in.

import { gzipSync } from 'node:zlib';
import { malformedNars } from '../store/malformed-nars.mjs';
import { narInfoText, samplePath, signed } from './sample-paths.mjs';

/** @typedef {import('./sample-paths.mjs').SamplePath} SamplePath */
/** @typedef {{ method: string, target: string, headers: readonly string[], body: Buffer | undefined, isChunked: boolean, cut: number | undefined }} FuzzRequest */

/** What is longer may be closed before its answer is read. */
const moderateNars = malformedNars.filter(({ bytes }) => bytes.length < 1 << 20);

const methods = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'PUT',
  'PUT',
  'PUT',
  'POST',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
];
const extensions = ['', '.xz', '.zst', '.gz', '.bz2', '.br', '.lz4', '.lzip', '.rar', '.'];
const oddities = [
  '',
  '.',
  '..',
  '%2e%2e',
  '%00',
  '%2f',
  '%',
  '%zz',
  '%ff',
  ' ',
  '\\',
  '"',
  "'",
  '\x01',
  'é',
  '*',
  '?',
  '#',
  ';',
  '//',
  '/',
  ':',
  '!',
  '$',
];
const headerValues = {
  range: [
    'bytes=0-',
    'bytes=0-0',
    'bytes=-5',
    'bytes=5-1',
    'bytes=1-2,3-4',
    'bytes=99999999999-',
    'x',
    'bytes=',
  ],
  'if-none-match': ['*', '"x"', 'W/"x"', 'x', '', ', ,', '"'],
  'if-range': ['"x"', 'W/"x"', 'Wed, 21 Oct 2015 07:28:00 GMT'],
  'accept-encoding': [
    'gzip',
    'br',
    'zstd',
    'identity;q=0',
    '*;q=0',
    'gzip;q=x',
    ',,,',
    'gzip, br;q=1.000, zstd;q=2',
  ],
  'content-encoding': ['gzip', 'xz', 'zstd', 'br', 'identity', 'snow', 'gzip, gzip', ''],
  'content-type': ['text/x-nix-narinfo', 'application/x-nix-nar', 'x', ''],
  'content-range': ['bytes 0-5/10', 'x'],
  expect: ['100-continue', 'snow'],
  accept: ['text/html', '*/*', 'application/json', ''],
  authorization: ['Bearer x', 'Basic eA==', 'Basic !', 'x'],
  'x-forwarded-for': ['1.2.3.4'],
  host: ['', 'x', '[', 'a:b:c'],
};

export class RequestGrammar {
  /** @type {import('../lib/random.mjs').Random} */
  #random;
  /** @type {readonly string[]} */
  #templates;
  /** @type {readonly SamplePath[]} */
  #known;
  #nextSeed;
  /** Those that were put only in part, so that their narinfo may come later. @type {SamplePath[]} */
  #begun = [];

  /**
   * @param {import('../lib/random.mjs').Random} random
   * @param {{ templates: readonly string[], known: readonly SamplePath[], firstSeed: number }} world `templates` are paths with
   *   `{parameters}`; `known` are in the cache
   */
  constructor(random, { templates, known, firstSeed }) {
    this.#random = random;
    this.#templates = templates;
    this.#known = known;
    this.#nextSeed = firstSeed;
  }

  /** @returns {FuzzRequest} */
  next() {
    const random = this.#random;
    if (random.oneIn(3)) return this.#upload();
    const method = random.pick(methods);
    let target = this.#fill(random.pick(this.#templates));
    if (random.oneIn(4)) target = this.#spoil(target);
    if (random.oneIn(8))
      target += random.pick([
        '?',
        '?x',
        '?narsize=5',
        '?narsize=-1',
        '?narsize=x',
        '?a=b&a=c',
        '?%zz',
        '?&&==',
      ]);
    const hasBody = method === 'PUT' || random.oneIn(10);
    return this.#dress({ method, target, body: hasBody ? this.#anyBody() : undefined });
  }

  /** What clients put, with or without something that is wrong. */
  #upload() {
    const random = this.#random;
    const path =
      random.oneIn(2) && this.#begun.length > 0
        ? random.pick(this.#begun)
        : samplePath(this.#nextSeed++, { size: random.below(50_000) });
    if (!this.#begun.includes(path)) this.#begun.push(path);
    if (this.#begun.length > 20) this.#begun.shift();
    if (random.oneIn(2)) {
      const body = random.oneIn(3) ? this.#damage(path.file) : path.file;
      return this.#dress({ method: 'PUT', target: path.url, body });
    }
    const fields = random.oneIn(2) ? this.#lie(path) : path.fields;
    const text = narInfoText(fields);
    return this.#dress({
      method: 'PUT',
      target: `/${path.hashPart}.narinfo`,
      body: random.oneIn(5) ? this.#damage(text) : text,
    });
  }

  /** @param {SamplePath} path @returns {Record<string, string | undefined>} */
  #lie({ fields }) {
    const random = this.#random;
    const name = random.pick([...Object.keys(fields), 'Deriver', 'CA', 'System']);
    const others = [
      ...this.#known.flatMap((it) => Object.values(it.fields)),
      '',
      '0',
      '-1',
      'x',
      '1e9',
      '\x00',
      ' ',
      'sha256:',
      '9'.repeat(30),
    ];
    const value = random.oneIn(6) ? undefined : random.pick(others);
    const changed = { ...fields, [name]: value };
    // Whoever has the key can lie as well; then all else has to show it.
    return random.oneIn(2) && value !== undefined
      ? signed(/** @type {Record<string, string>} */ (changed))
      : changed;
  }

  /** @param {string} template */
  #fill(template) {
    const random = this.#random;
    const known = random.pick(this.#known);
    const digits = (/** @type {number} */ count, /** @type {string} */ alphabet) =>
      Array.from({ length: count }, () => alphabet[random.below(alphabet.length)]).join('');
    const base32 = '0123456789abcdfghijklmnpqrsvwxyz';
    /** @type {Record<string, () => string>} */
    const values = {
      hashPart: () => (random.oneIn(3) ? digits(32, base32) : known.hashPart),
      narFile: () =>
        random.oneIn(3)
          ? `${digits(52, base32)}.nar${random.pick(extensions)}`
          : known.url.slice('/nar/'.length),
      node: () => digits(random.below(80), 'ABCabc012-_'),
      derivation: () => `${digits(32, base32)}-${random.pick(['x.drv', 'x', 'snow-1.0.drv'])}`,
      output: () => random.pick(['out', 'dev', '', 'a b', '!']),
      buildId: () => digits(40, '0123456789abcdef'),
      realisation: () => `sha256:${digits(64, '0123456789abcdef')}!out`,
      file: () => random.pick(['file-0', 'file-1', '', 'file-0/x', 'x', '..', 'a/b/c']),
    };
    return template.replace(/\{([A-Za-z]+)\}/g, (_, name) =>
      random.oneIn(12) ? random.pick(oddities) : (values[name]?.() ?? 'x'),
    );
  }

  /** @param {string} target */
  #spoil(target) {
    const random = this.#random;
    const at = random.below(target.length + 1);
    switch (random.below(5)) {
      case 0:
        return target.slice(0, at) + random.pick(oddities) + target.slice(at);
      case 1:
        return target.slice(0, at) + target.slice(at + 1 + random.below(5));
      case 2:
        return target.slice(0, at) + target;
      case 3:
        return target + '/'.repeat(random.below(4)) + random.pick(oddities);
      default:
        return target.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    }
  }

  #anyBody() {
    const random = this.#random;
    const known = random.pick(this.#known);
    switch (random.below(7)) {
      case 0:
        return Buffer.alloc(0);
      case 1:
        return Buffer.from(Array.from({ length: random.below(2000) }, () => random.below(256)));
      case 2:
        return random.pick(moderateNars).bytes;
      case 3:
        return narInfoText(known.fields);
      case 4:
        return Buffer.from(
          random.pick([
            '{}',
            '[]',
            'null',
            '{"outPath":5}',
            `{"outPath":"${known.storePath.slice(11)}","signatures":[]}`,
            '{"id":"x"',
            '1e999',
            '"\\ud800"',
          ]),
        );
      case 5:
        return gzipSync(this.#damage(known.file.subarray(0, 5000)));
      default:
        return Buffer.from('StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 39\n');
    }
  }

  /** @param {Buffer} bytes */
  #damage(bytes) {
    const random = this.#random;
    const damaged = Buffer.from(bytes);
    if (random.oneIn(3)) return damaged.subarray(0, random.below(damaged.length + 1));
    for (let i = 0; i <= random.below(4) && damaged.length > 0; i++)
      damaged[random.below(damaged.length)] = random.below(256);
    return damaged;
  }

  /** @param {{ method: string, target: string, body: Buffer | undefined }} request @returns {FuzzRequest} */
  #dress({ method, target, body }) {
    const random = this.#random;
    const headers = [];
    const names = /** @type {(keyof typeof headerValues)[]} */ (Object.keys(headerValues));
    while (random.oneIn(3)) {
      const name = random.pick(names);
      headers.push(`${name}: ${random.pick(headerValues[name])}`);
    }
    const cut =
      body !== undefined && body.length > 0 && random.oneIn(25) ? random.below(body.length) : undefined;
    return { method, target, headers, body, isChunked: random.oneIn(4), cut };
  }
}

/** As bytes for a connection. @param {FuzzRequest} request */
export function requestBytes({ method, target, headers, body, isChunked, cut }) {
  const hasHost = headers.some((it) => it.startsWith('host:'));
  const framing =
    body === undefined ? [] : [isChunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`];
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...(hasHost ? [] : ['host: localhost']),
    'connection: close',
    ...headers,
    ...framing,
  ];
  const sent = body?.subarray(0, cut) ?? Buffer.alloc(0);
  const framed =
    body !== undefined && isChunked
      ? Buffer.concat([
          ...(sent.length === 0
            ? []
            : [Buffer.from(`${sent.length.toString(16)}\r\n`), sent, Buffer.from('\r\n')]),
          Buffer.from(cut === undefined ? '0\r\n\r\n' : ''),
        ])
      : sent;
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), framed]);
}
