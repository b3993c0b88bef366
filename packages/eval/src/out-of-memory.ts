/**
 * The failure of an evaluation that needs more memory than it may have. No program can catch it. The evaluator can be used
 * afterwards, and what was being evaluated is as if it had not been.
 */
import { EvaluationError } from './evaluator.ts';

export class OutOfMemory extends EvaluationError {}

/** What there is too little of: what the settings allow, what the engine gives, or what 32 bits can address. */
export function memoryShortage({
  isRefused,
  maxHeapBytes,
}: {
  readonly isRefused: boolean;
  readonly maxHeapBytes: number | undefined;
}): OutOfMemory {
  return new OutOfMemory({
    kind: 'error',
    message: isRefused ? refused : maxHeapBytes === undefined ? fullMemory : limitReached(maxHeapBytes),
    traces: [],
    suggestions: [],
  });
}

const advice = 'evaluate less at a time, for example one attribute after the other';
const refused = `the system has no more memory for the evaluation; ${advice}, or limit it with max-heap-size`;
const fullMemory = `the evaluation needs more memory than there can be, which is 4 GiB; ${advice}`;

function limitReached(bytes: number): string {
  return `the evaluation needs more memory than max-heap-size allows, which is ${printBytes(bytes)}; allow more, or ${advice}`;
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
