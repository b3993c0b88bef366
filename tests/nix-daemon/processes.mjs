// Which processes run, of whatever user and in whatever sandbox, by a text that only their command lines have.

import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const patienceMs = 60_000;

/** How many processes have the text in their command lines. @param {string} text */
export function countProcesses(text) {
  return readdirSync('/proc').filter((name) => {
    if (!/^[0-9]+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // it has ended
    }
  }).length;
}

/**
 * Waits until there are so many.
 *
 * @param {string} text
 * @param {(count: number) => boolean} isWanted
 */
export async function untilProcesses(text, isWanted) {
  for (const deadline = performance.now() + patienceMs; !isWanted(countProcesses(text)); await sleep(50)) {
    if (performance.now() > deadline)
      throw new Error(`${countProcesses(text)} processes with '${text}' for a minute`);
  }
}
