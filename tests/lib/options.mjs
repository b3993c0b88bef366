// The command line of a harness: declared options, a usage text, and one way to end.
//
// Exit codes: 0 everything passed, 1 something failed, 2 the command line is wrong.

import { parseArgs } from 'node:util';

/** The user asked for something that cannot be done; the message says what and how to mend it. */
export class UsageError extends Error {}

/**
 * Parses the command line, runs the harness and ends the process; after a wrong command line only its exit code is set.
 *
 * @param {{ usage: string, options: NonNullable<import("node:util").ParseArgsConfig["options"]>, required?: readonly string[] }} declaration
 * @param {(values: Record<string, any>) => Promise<boolean>} body resolves with whether all passed
 */
export async function runHarness({ usage, options, required = [] }, body) {
  try {
    const { values: parsed } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
    const values = /** @type {Record<string, any>} */ (parsed);
    if (values['help'] === true) {
      console.log(usage);
      return;
    }
    for (const name of required) {
      if (values[name] === undefined) throw new UsageError(`--${name} is missing`);
    }
    const hasPassed = await body(values);
    // What a check that failed has left open is not waited for.
    process.exit(hasPassed ? 0 : 1);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
  }
}

/**
 * A natural number given as an option.
 *
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} fallback
 */
export function countOption(name, text, fallback) {
  if (text === undefined) return fallback;
  if (!/^[0-9]+$/.test(text)) throw new UsageError(`--${name} needs a number, not '${text}'`);
  return Number(text);
}

/**
 * @param {unknown} error
 * @returns {error is Error}
 */
function isUsageError(error) {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && String(/** @type {any} */ (error).code).startsWith('ERR_PARSE_ARGS');
}
