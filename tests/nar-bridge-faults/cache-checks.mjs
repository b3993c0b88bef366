// What must be so of a cache after whatever was done to it: everything that was acknowledged is served as it was put, and
// everything that is served is what its hashes say.

import { unzstd } from './zstd-program.mjs';
import { ask } from './raw-client.mjs';
import { hashText, narInfoText, parseFields } from './sample-paths.mjs';

/** @typedef {import('./sample-paths.mjs').SamplePath} SamplePath */

/** @param {number} port @param {SamplePath} path */
export async function putPath(port, path) {
  const nar = await ask(port, path.url, { method: 'PUT', body: path.file });
  if (nar.status >= 300) return nar;
  return ask(port, `/${path.hashPart}.narinfo`, { method: 'PUT', body: narInfoText(path.fields) });
}

/**
 * What is wrong with a path as it is served; nothing if all is well.
 *
 * @param {number} port
 * @param {SamplePath} path
 * @returns {Promise<string | undefined>}
 */
export async function problemOfPath(port, path) {
  const { status, body } = await ask(port, `/${path.hashPart}.narinfo`);
  if (status !== 200) return `${path.storePath}: its narinfo is answered with ${status}`;
  const fields = parseFields(body);
  for (const name of ['StorePath', 'NarHash', 'NarSize', 'References']) {
    if ((fields[name] ?? '') !== path.fields[name])
      return `${path.storePath}: ${name} is '${fields[name]}' instead of '${path.fields[name]}'`;
  }
  const old = await ask(port, path.url);
  // The file that was put, or the NAR in another one; what a client may remember.
  if (old.status !== 200) return `${path.storePath}: ${path.url} is answered with ${old.status}`;
  return problemOfNar(port, fields);
}

/**
 * @param {number} port
 * @param {Record<string, string>} fields of a narinfo
 * @returns {Promise<string | undefined>}
 */
export async function problemOfNar(port, fields) {
  const subject = `${fields['StorePath']}: ${fields['URL']}`;
  const { status, body } = await ask(port, `/${fields['URL']}`);
  if (status !== 200) return `${subject} is answered with ${status}`;
  if (body.length !== Number(fields['FileSize']))
    return `${subject} has ${body.length} bytes, not ${fields['FileSize']}`;
  if (hashText(body) !== fields['FileHash']) return `${subject} has another hash than its narinfo says`;
  const nar = fields['Compression'] === 'zstd' ? unzstd(body) : body;
  if (nar.length !== Number(fields['NarSize']) || hashText(nar) !== fields['NarHash'])
    return `${subject} holds another NAR than its narinfo says`;
  return undefined;
}

/**
 * Clients that do what clients do, one after the other, until they are told to end.
 */
export class HonestClient {
  /** @type {SamplePath[]} */
  paths = [];
  /** @type {string[]} */
  problems = [];
  #port;
  #nextSeed;
  #isEnding = false;
  /** @type {Promise<void> | undefined} */
  #running;

  /** @param {number} port @param {number} seed */
  constructor(port, seed) {
    this.#port = port;
    this.#nextSeed = seed;
  }

  /** @param {(seed: number) => SamplePath} makePath */
  start(makePath) {
    this.#running = this.#run(makePath);
  }

  /** Also tells what was wrong. */
  async end() {
    this.#isEnding = true;
    await this.#running;
    return this.problems;
  }

  /** @param {(seed: number) => SamplePath} makePath */
  async #run(makePath) {
    while (!this.#isEnding) {
      const path = makePath(this.#nextSeed++);
      try {
        const { status, body } = await putPath(this.#port, path);
        if (status !== 201)
          this.problems.push(`an honest upload was answered with ${status}: ${body.toString()}`);
        else this.paths.push(path);
        const problem = await problemOfPath(this.#port, path);
        if (problem !== undefined) this.problems.push(problem);
      } catch (error) {
        this.problems.push(
          `an honest client was disturbed: ${String(error)} ${String(/** @type {any} */ (error).cause ?? '')}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
