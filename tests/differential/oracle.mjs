// The Nix to compare with, and a memory of its answers: evaluating hundreds of expressions
// takes it a while, and it answers the same every time.
//
// An answer is kept in a file of its own under a key made from everything it depends on:
// the release, the environment, the arguments, the expression and the files within reach of it.

import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export class AnswerCache {
  #folder;
  #prefix;

  /**
   * @param {{ folder: string, version: string, variables: object, fixtures: string }} options
   *   `folder` holds the answers; `version` is what the oracle calls itself; `variables` are
   *   those of its environment that an answer may show; `fixtures` is where it evaluates
   */
  constructor({ folder, version, variables, fixtures }) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#prefix = JSON.stringify([version, variables, fixtures, treeDigest(fixtures)]);
  }

  /**
   * The answer to a case: the remembered one, or what `ask` gives.
   *
   * @param {import("./case-file.mjs").Case} item
   * @param {() => Promise<import("../lib/command.mjs").Outcome>} ask
   * @returns {Promise<import("../lib/command.mjs").Outcome>}
   */
  async answer(item, ask) {
    const key = createHash('sha256')
      .update(JSON.stringify([this.#prefix, item.arguments, item.expression]))
      .digest('hex');
    const path = join(this.#folder, `${key}.json`);
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'));
    const outcome = await ask();
    // A slow machine may have ended the command; that is not the oracle's answer.
    if (!outcome.timedOut) writeFileSync(path, JSON.stringify(outcome));
    return outcome;
  }
}

/**
 * @param {string} folder
 * @returns {string}
 */
function treeDigest(folder) {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const status = lstatSync(path);
    if (status.isDirectory()) hash.update(JSON.stringify([name, treeDigest(path)]));
    else if (status.isSymbolicLink()) hash.update(JSON.stringify([name, readlinkSync(path)]));
    else hash.update(JSON.stringify([name, status.mode & 0o100, readFileSync(path, 'latin1')]));
  }
  return hash.digest('hex');
}
