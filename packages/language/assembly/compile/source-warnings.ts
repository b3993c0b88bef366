// Warnings of the parser on their way to the host: a queue in permanent memory, since the parser's own go with the arena
// before the host comes to read them.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import {
  syntaxWarningCount,
  syntaxWarningLength,
  syntaxWarningMessage,
  syntaxWarningPosition,
  syntaxWarningSecondPosition,
} from "../syntax/syntax-errors";

@unmanaged
export class SourceWarning {
  position: u32;
  /** The position that the message begins with, or 0. */
  second: u32;
  message: Address;
  length: u32;
  /** The warning after this one, or 0. */
  next: Address;
}

const SOURCE_WARNING_SIZE: u32 = <u32>offsetof<SourceWarning>();

let first: Address = 0;
let last: Address = 0;
let taken: Address = 0;

/** Adds the warnings about the source that was parsed last. */
export function keepSourceWarnings(): void {
  const count = syntaxWarningCount();
  for (let i: u32 = 0; i < count; i++) {
    const length = syntaxWarningLength(i);
    const message = allocatePermanent(length);
    memory.copy(message, syntaxWarningMessage(i), length);
    const warning = changetype<SourceWarning>(allocatePermanent(SOURCE_WARNING_SIZE));
    warning.position = syntaxWarningPosition(i);
    warning.second = syntaxWarningSecondPosition(i);
    warning.message = message;
    warning.length = length;
    warning.next = 0;
    push(warning);
  }
}

/** Whether there are warnings that nobody has taken. */
export function hasSourceWarnings(): bool {
  return first != 0;
}

/** Takes the oldest warning; false when there is none. */
export function takeSourceWarning(): bool {
  if (first == 0) return false;
  taken = first;
  first = changetype<SourceWarning>(taken).next;
  return true;
}

/** The warning that `takeSourceWarning` took. */
export function takenSourceWarning(): SourceWarning {
  return changetype<SourceWarning>(taken);
}

function push(warning: SourceWarning): void {
  const address = changetype<Address>(warning);
  if (first == 0) first = address;
  else changetype<SourceWarning>(last).next = address;
  last = address;
}
