/** How many workers there are, and how much memory each may have. */
import { availableParallelism, totalmem } from 'node:os';
import { UsageError } from '../usage-error.ts';

const mebibyte = 1 << 20;
/**
 * Also without `--max-memory-size`. A worker collects garbage only when one job takes it beyond, for a collection of so much costs
 * more than a new worker; then what is alive has to fit into the memory of 4 GiB a second time.
 */
const largestMegabytes = 2750;

/** In bytes, never more than can be used; the most without a text. Throws `UsageError`. */
export function megabytesOption(text: string | undefined): number {
  return Math.min(countOption('--max-memory-size', text, largestMegabytes), largestMegabytes) * mebibyte;
}

/** As many as processors, and as memory is there for. Throws `UsageError`. */
export function workersOption(text: string | undefined, maxBytes: number): number {
  const fitting = Math.min(availableParallelism(), Math.floor(totalmem() / maxBytes));
  return countOption('--workers', text, Math.max(1, fitting));
}

// oxlint-disable-next-line eslint/max-params -- whose, what, and what else
function countOption(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`option '${name}' needs a number greater than 0, not '${text}'`);
}
