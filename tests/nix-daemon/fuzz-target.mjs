// A daemon over stores in memory, for conversations with clients that mean no good, and with honest ones in between.

import { MessageGenerator } from './message-generator.mjs';

const hangMs = 20_000;

export class FuzzTarget {
  /** @type {typeof import('./fuzz-entry.mjs')} */
  #neve;
  /** @type {import('../../packages/nix-daemon/src/testing/memory-services.ts').MemoryDaemon | undefined} */
  #daemon;
  #count = 0;
  #served = 0;
  #refused = 0;
  /** @type {import('@neve/nix-compat').StorePath[]} */
  #paths = [];

  /** @param {typeof import('./fuzz-entry.mjs')} neve */
  constructor(neve) {
    this.#neve = neve;
  }

  get summary() {
    return `${this.#served} were served to their end, ${this.#refused} were cut off`;
  }

  get #store() {
    return new this.#neve.StoreDirectory('/nix/store', this.#neve.nodeHashes);
  }

  /** A daemon with a few paths in its store. */
  async begin() {
    this.#daemon = this.#neve.memoryDaemon();
    const names = ['one', 'two.drv', 'three'];
    this.#paths = [this.#store.parse('/nix/store/1rz4g4znpzjwh1xymhjpm42vipw92pr7-missing')];
    for (const name of names) this.#paths.push(await this.#honest(name));
  }

  /**
   * What went wrong, if anything did.
   *
   * @param {import('../lib/random.mjs').Random} random
   * @returns {Promise<string | undefined>}
   */
  async try(random) {
    const daemon = this.#daemon;
    if (daemon === undefined) throw new Error('there is no daemon');
    const generator = new MessageGenerator({
      neve: this.#neve,
      random,
      paths: this.#paths,
      store: this.#store,
    });
    const bytes = generator.conversation();
    const isTrusted = random.oneIn(2);
    /** @type {unknown[]} */
    const bugs = [];
    const [near, far] = this.#neve.memoryConnection(random.pick([1, 7, 64, 4096, Infinity]));
    const aborter = new AbortController();
    const onBug = (/** @type {unknown} */ error) => bugs.push(error);
    const session = this.#neve.serveSession(far, { daemon, isTrusted, onBug, signal: aborter.signal }).then(
      () => void this.#served++,
      (/** @type {unknown} */ error) => {
        this.#refused++;
        if (!(error instanceof Error) || !/^(NixCompatError|NixDaemonError)$/.test(error.name))
          bugs.push(error);
      },
    );
    await near.send(bytes);
    near.end();
    if (!(await endsInTime(session))) {
      aborter.abort(new Error('the client has gone'));
      return (await endsInTime(session)) ? undefined : 'the connection does not end';
    }
    if (bugs.length > 0) return `a bug: ${show(bugs[0])}`;
    if (++this.#count % 20 !== 0) return undefined;
    await this.#honest(`honest-${this.#count}`);
    return await this.#damage();
  }

  /**
   * An honest client adds a file and reads it.
   *
   * @param {string} name
   */
  async #honest(name) {
    const daemon = this.#daemon;
    if (daemon === undefined) throw new Error('there is no daemon');
    const [near, far] = this.#neve.memoryConnection();
    const signal = new AbortController().signal;
    const session = this.#neve.serveSession(far, {
      daemon,
      isTrusted: false,
      signal,
      onBug: (error) => {
        throw error;
      },
    });
    session.catch(() => undefined);
    const client = await this.#neve.TestClient.open(near, { store: this.#store });
    const nar = this.#nar(`the contents of ${name}`);
    const request = /** @type {const} */ ({
      name: name.replace('.drv', ''),
      method: 'nar',
      algorithm: 'sha256',
      references: [],
      repair: false,
    });
    const { path } = await client.ask('addToStore', request, nar);
    await client.ask('narFromPath', { path });
    const read = await client.readNar();
    if (Buffer.compare(read, nar) !== 0) throw new Error(`'${name}' comes out as something else`);
    near.end();
    await session;
    return path;
  }

  /** @param {string} text */
  #nar(text) {
    /** @type {Uint8Array[]} */
    const pieces = [];
    const writer = new this.#neve.NarWriter((bytes) => pieces.push(bytes.slice()));
    const contents = this.#neve.encodeUtf8(text);
    writer.startRegular(contents.length, false);
    writer.contents(contents);
    writer.endRegular();
    writer.end();
    return this.#neve.concatBytes(pieces);
  }

  /** What is wrong in the store. */
  async #damage() {
    const daemon = this.#daemon;
    if (daemon === undefined) throw new Error('there is no daemon');
    const { findings } = await this.#neve.verifyStore({ ...daemon, deep: daemon.narCalculation });
    const [finding] = findings;
    return finding === undefined ? undefined : `something wrong was committed: ${finding.problem}`;
  }
}

/** @param {Promise<void>} work */
async function endsInTime(work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve('late'), hangMs)));
  const first = await Promise.race([work, late]);
  clearTimeout(timer);
  return first !== 'late';
}

/** @param {unknown} error */
export function show(error) {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
