/**
 * The failure of an evaluation that needs more memory than it may have. No program can catch it. The evaluator can be used
 * afterwards, and what was being evaluated is as if it had not been.
 */
import { EvaluationError } from './evaluator.ts';
import { narrowReach, wideReach } from './wide-addresses.ts';

export class OutOfMemory extends EvaluationError {}

/** What there is too little of: what the settings allow, what the engine gives, or what addresses reach. */
export function memoryShortage({
  isRefused,
  isWide,
  maxHeapBytes,
}: {
  readonly isRefused: boolean;
  readonly isWide: boolean;
  readonly maxHeapBytes: number | undefined;
}): OutOfMemory {
  return new OutOfMemory({
    kind: 'error',
    message: isRefused ? refused : limitReached(maxHeapBytes, isWide),
    traces: [],
    suggestions: [],
  });
}

const advice = 'evaluate less at a time, for example one attribute after the other';
const refused = `the system has no more memory for the evaluation; ${advice}, or limit it with max-heap-size`;

function limitReached(bytes: number | undefined, isWide: boolean): string {
  const reach = isWide ? wideReach : narrowReach;
  if (bytes !== undefined && bytes < reach) {
    return `the evaluation needs more memory than max-heap-size allows, which is ${printBytes(bytes)}; allow more, or ${advice}`;
  }
  return `the evaluation needs more memory than ${printBytes(reach)}; ${isWide ? '' : more(bytes)}${advice}`;
}

/** What more than 4 GiB takes. */
function more(wanted: number | undefined): string {
  return wanted === undefined || wanted === narrowReach
    ? `allow up to ${printBytes(wideReach)} with max-heap-size, which needs Node.js 24 or later, or `
    : 'the engine has no memories beyond that, as Node.js 24 and later have; use one of these, or ';
}

/** In the largest unit that needs no fraction. */
function printBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let count = bytes;
  let unit = 0;
  while (unit + 1 < units.length && count % 1024 === 0) {
    count /= 1024;
    unit++;
  }
  return `${count} ${units[unit]}`;
}
