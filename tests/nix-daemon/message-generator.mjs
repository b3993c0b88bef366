// Conversations of clients that mean no good: well-formed requests in any order, of any version, and damage to them. A
// conversation is what one client sends, without waiting for any answer.

const clientMagic = 0x6e697863;
const minors = [10, 17, 18, 20, 21, 22, 23, 25, 26, 30, 32, 35, 37, 38, 39, 200];

/** Numbers that lie about sizes. */
const lies = [
  0n,
  1n,
  7n,
  8n,
  0xffn,
  0xffff_ffffn,
  1n << 32n,
  1n << 53n,
  (1n << 53n) - 1n,
  (1n << 64n) - 1n,
  1n << 63n,
];

/**
 * @typedef {typeof import('./fuzz-entry.mjs')} Neve
 * @typedef {import('../lib/random.mjs').Random} Random
 * @typedef {import('@neve/nix-compat').StorePath} StorePath
 */

export class MessageGenerator {
  /** @type {Neve} */
  #neve;
  /** @type {Random} */
  #random;
  /** @type {readonly StorePath[]} */
  #paths;
  /** @type {import('@neve/nix-compat').StoreDirectory} */
  #store;

  /** @param {{ neve: Neve, random: Random, paths: readonly StorePath[], store: import('@neve/nix-compat').StoreDirectory }} options */
  constructor({ neve, random, paths, store }) {
    this.#neve = neve;
    this.#random = random;
    this.#paths = paths;
    this.#store = store;
  }

  /** @returns {Uint8Array} */
  conversation() {
    const minor = this.#random.pick(minors);
    const parts = [this.#greeting(minor)];
    const context = {
      store: this.#store,
      minor: Math.min(minor, 38),
      features: new Set(['realisation-with-path-not-hash']),
    };
    const count = 1 + this.#random.below(6);
    for (let i = 0; i < count; i++) parts.push(this.#request(context));
    const whole = this.#neve.concatBytes(parts);
    if (this.#random.oneIn(3)) return whole;
    // Damage to the greeting ends the conversation at once, of which there is little to be learnt.
    const start = this.#random.oneIn(20) ? 0 : (parts[0]?.length ?? 0);
    return this.#neve.concatBytes([whole.subarray(0, start), this.#damaged(whole.subarray(start))]);
  }

  /** @param {number} minor */
  #greeting(minor) {
    const { concatBytes, encodeUtf8 } = this.#neve;
    const feature = encodeUtf8('realisation-with-path-not-hash');
    const features =
      minor >= 38 ? [number(1), number(feature.length), feature, new Uint8Array(-feature.length & 7)] : [];
    return concatBytes([
      number(clientMagic),
      number(0x100 | minor),
      ...features,
      ...(minor >= 14 ? [number(0)] : []),
      ...(minor >= 11 ? [number(0)] : []),
    ]);
  }

  /** @param {any} context */
  #request(context) {
    const { encodeWorkerRequest, requestStream, concatBytes, workerOperations } = this.#neve;
    const names = /** @type {(keyof typeof workerOperations)[]} */ (Object.keys(workerOperations));
    const name = this.#random.pick(names);
    try {
      const request = encodeWorkerRequest(name, this.#arguments(name), context);
      const form = requestStream(name, context);
      return form === 'none' ? request : concatBytes([request, this.#stream(name, form, context)]);
    } catch {
      // This version cannot say it.
      return concatBytes([number(this.#random.below(60)), number(this.#random.below(100))]);
    }
  }

  #path() {
    return this.#random.pick(this.#paths);
  }

  #bool() {
    return this.#random.oneIn(2);
  }

  #text() {
    return this.#random.pick([
      '',
      'x',
      '../x',
      '/etc/passwd',
      'a\0b',
      '\u{1f600}',
      'é'.repeat(300),
      '-',
      '.',
      'name',
      'n'.repeat(212),
    ]);
  }

  /**
   * @param {string} name
   * @returns {any}
   */
  #arguments(name) {
    const path = this.#path();
    const derived = {
      kind: 'built',
      drvPath: { kind: 'opaque', path },
      outputs: this.#random.pick(['all', ['out'], ['x', 'y']]),
    };
    const options = {
      ...{
        keepFailed: this.#bool(),
        keepGoing: this.#bool(),
        tryFallback: this.#bool(),
        verbosity: this.#random.below(8),
      },
      ...{ maxBuildJobs: this.#random.below(3), maxSilentTime: this.#random.below(100), verboseBuild: true },
      ...{ buildCores: 0, useSubstitutes: this.#bool() },
      overrides: new Map([
        [this.#random.pick(['timeout', 'sandbox', 'substituters', 'require-sigs', 'no-such']), this.#text()],
      ]),
    };
    const info = this.#info();
    const hash = this.#neve.nodeHashes.hash('sha256', new Uint8Array(3));
    return {
      ...options,
      ...{
        path,
        paths: [path, this.#path()],
        name: this.#random.pick(['x', 'a-b.drv', 'file']),
        text: this.#randomBytes(100),
      },
      ...{
        method: this.#random.pick(['nar', 'flat', 'text', 'git']),
        algorithm: this.#random.pick(['sha256', 'sha1', 'md5', 'sha512']),
      },
      ...{ references: [this.#path()], repair: this.#bool(), dontCheckSignatures: this.#bool() },
      ...{
        mode: this.#random.pick(['normal', 'check', 'repair']),
        link: this.#text(),
        root: this.#text(),
        output: 'out',
      },
      ...{
        action: this.#random.pick(['returnLive', 'returnDead', 'deleteDead', 'deleteSpecific']),
        ignoreLiveness: this.#bool(),
      },
      ...{
        among: 'all',
        maxFreed: this.#random.pick(lies),
        hashPart: this.#random.pick([path.hashPart, '', this.#text()]),
      },
      ...{
        substitute: this.#bool(),
        checkContents: this.#bool(),
        signatures: [],
        targets: [derived, { kind: 'opaque', path }],
      },
      ...(name.startsWith('buildPaths') && { paths: [derived] }),
      ...(name === 'querySubstitutablePathInfos' && { paths: [[path, undefined]] }),
      ...(name === 'queryRealisation' && { output: { kind: 'keyed', drvPath: path, outputName: 'out' } }),
      ...(name === 'registerDrvOutput' && {
        realisation: {
          kind: 'keyed',
          drvPath: path,
          outputName: 'out',
          outPath: path,
          signatures: [],
          derivationHash: hash,
        },
      }),
      ...{ drvPath: path, info },
    };
  }

  /** @returns {import('@neve/nix-compat').ValidPathInfo} */
  #info() {
    const { nodeHashes } = this.#neve;
    const nar = this.#nar();
    return {
      path: this.#path(),
      ...{
        narHash: nodeHashes.hash('sha256', nar),
        narSize: nar.length,
        references: this.#bool() ? [this.#path()] : [],
      },
      ...{ registrationTime: 0, ultimate: this.#bool(), signatures: [], deriver: undefined },
      contentAddress: this.#bool() ? { method: 'nar', digest: nodeHashes.hash('sha256', nar) } : undefined,
    };
  }

  #nar() {
    /** @type {Uint8Array[]} */
    const pieces = [];
    const writer = new this.#neve.NarWriter((bytes) => pieces.push(bytes.slice()));
    const contents = this.#randomBytes(200);
    writer.startRegular(contents.length, this.#bool());
    writer.contents(contents);
    writer.endRegular();
    writer.end();
    return this.#neve.concatBytes(pieces);
  }

  /**
   * @param {string} name
   * @param {string} form
   * @param {any} context
   */
  #stream(name, form, context) {
    const { concatBytes, encodeWire, addedPathInfo, size, frameStart } = this.#neve;
    let contents = this.#bool() ? this.#nar() : this.#randomBytes(300);
    if (name === 'addMultipleToStore') {
      const count = this.#random.below(3);
      const objects = Array.from({ length: count }, () => [
        encodeWire(addedPathInfo, this.#info(), context),
        this.#nar(),
      ]).flat();
      contents = concatBytes([
        encodeWire(size, count + (this.#random.oneIn(5) ? 1 : 0), context),
        ...objects,
      ]);
    }
    if (form === 'framed') {
      const cut = this.#random.below(contents.length + 1);
      const frames = [contents.subarray(0, cut), contents.subarray(cut)].filter((it) => it.length > 0);
      return concatBytes([...frames.flatMap((it) => [frameStart(it.length), it]), frameStart(0)]);
    }
    return form === 'pulled'
      ? concatBytes([encodeWire(this.#neve.bytes, contents, context), number(0)])
      : contents;
  }

  /** @param {number} most */
  #randomBytes(most) {
    return Uint8Array.from({ length: this.#random.below(most) }, () => this.#random.below(256));
  }

  /** @param {Uint8Array} whole */
  #damaged(whole) {
    /** @type {Uint8Array} */
    let damaged = whole.slice();
    const times = 1 + this.#random.below(3);
    for (let i = 0; i < times; i++) {
      const at = this.#random.below(Math.max(1, damaged.length));
      const word = at & ~7;
      switch (this.#random.below(5)) {
        case 0:
          damaged[at] = this.#random.below(256);
          break;
        case 1:
          damaged = damaged.subarray(0, at);
          break;
        case 2:
          if (word + 8 <= damaged.length) damaged.set(bigNumber(this.#random.pick(lies)), word);
          break;
        case 3:
          damaged = this.#neve.concatBytes([
            damaged.subarray(0, word),
            this.#randomBytes(40),
            damaged.subarray(word),
          ]);
          break;
        case 4:
          damaged = this.#neve.concatBytes([damaged.subarray(0, word), damaged.subarray(word + 8)]);
      }
    }
    return damaged;
  }
}

/** @param {number} value */
function number(value) {
  return bigNumber(BigInt(value));
}

/** @param {bigint} value */
function bigNumber(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}
