// A world whose answers come late, in an order that a seed decides, and the same world with immediate answers.
//
// Files under /late/ are there for any name: `/late/K/N.nix` says `N`. So `import /late/7/12.nix` is 12, once the world has
// answered, and any program can be made to wait wherever it has a number (`withLateNumbers`).

const latePath = /^\/late\/\d+\/(\d+)\.nix$/;

/**
 * @param {import('@neve/eval').EvalIO} io
 * @param {{ encodeUtf8: (text: string) => Uint8Array, decodeUtf8: (bytes: Uint8Array) => string }} library
 * @returns {import('@neve/eval').EvalIO}
 */
export function withLateFiles(io, { encodeUtf8, decodeUtf8 }) {
  /** @param {Uint8Array} path */
  const numberAt = (path) => latePath.exec(decodeUtf8(path))?.[1];
  return {
    ...io,
    readFile(path) {
      const number = numberAt(path);
      return number === undefined ? io.readFile(path) : encodeUtf8(number);
    },
    withContents(path, use) {
      const number = numberAt(path);
      if (number !== undefined) return use(encodeUtf8(number));
      return io.withContents === undefined
        ? use(/** @type {Uint8Array} */ (io.readFile(path)))
        : io.withContents(path, use);
    },
    fileType(path) {
      if (numberAt(path) !== undefined) return 'regular';
      return /^\/late(\/\d+)?$/.test(decodeUtf8(path)) ? 'directory' : io.fileType(path);
    },
  };
}

/**
 * The same world, whose answers come later: each after a few turns, so that they overtake one another.
 *
 * @param {import('@neve/eval').EvalIO} io
 * @param {import('../lib/random.mjs').Random} random
 * @returns {import('@neve/eval').EvalIO}
 */
export function delayed(io, random) {
  /** @type {(() => void)[]} */
  const waiting = [];
  let isScheduled = false;

  function schedule() {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    // Some are answered before the event loop turns, some after.
    if (random.oneIn(3)) setImmediate(answerSome);
    else queueMicrotask(() => queueMicrotask(answerSome));
  }

  function answerSome() {
    isScheduled = false;
    for (let count = 1 + random.below(3); count > 0 && waiting.length > 0; count--) {
      const [answer] = waiting.splice(random.below(waiting.length), 1);
      answer?.();
    }
    schedule();
  }

  /**
   * @template T
   * @param {() => T} ask
   * @returns {Promise<Awaited<T>>}
   */
  function later(ask) {
    return new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(/** @type {Awaited<T>} */ (ask()));
        } catch (error) {
          reject(error);
        }
      });
      schedule();
    });
  }

  return {
    ...io,
    readFile: (path) => later(() => io.readFile(path)),
    withContents: (path, use) => later(() => /** @type {any} */ (io.withContents)(path, use)),
    fileType: (path) => later(() => io.fileType(path)),
    readDirectory: (path) => later(() => io.readDirectory(path)),
    readLink: (path) => later(() => io.readLink(path)),
    addPathToStore: (options) => later(() => io.addPathToStore(options)),
    hashFile: (options) => later(() => io.hashFile(options)),
    isValidStorePath: (path) => later(() => io.isValidStorePath(path)),
  };
}

/**
 * The program with numbers that have to be waited for, `share` of three of them; which ones, the random numbers decide.
 *
 * @param {string} program
 * @param {import('../lib/random.mjs').Random} random
 */
export function withLateNumbers(program, random) {
  let count = 0;
  return program.replace(/(?<=[\s([])\d+(?=[\s)\];])/g, (number) => {
    if (random.oneIn(3) || Number(number) > 1e9) return number;
    count += 1;
    return `(import /late/${count}/${Number(number)}.nix)`;
  });
}
