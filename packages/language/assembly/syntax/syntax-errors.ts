// What is wrong with a source: errors and warnings as data, in the order in which they were found. Nix stops at the
// first error; so does an evaluation. The others are for tools that look at unfinished texts.
//
// A report is [position][second][message][length]. A message whose report has a second position leaves a
// place for it: the text of the second position follows "already defined at " (errors), or goes between "at " and ": "
// before the message (warnings). Reports and messages are in the arena: they are gone when it is reset.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { appendByte, appendBytes, appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { Table, appendToTable, tableCount, tableItem } from "./tables";
import { TokenSet, TOKEN_COUNT, appendTokenName, hasToken } from "./tokens";

@unmanaged
class Report {
  position: u32;
  second: u32;
  message: Address;
  length: u32;
}

let errors: Table = 0;
let warnings: Table = 0;

/** After this many errors the parser gives the rest of the text up. */
export const MAX_SYNTAX_ERRORS: u32 = 100;

export function resetSyntaxErrors(): void {
  errors = 0;
  warnings = 0;
}

export function syntaxErrorCount(): u32 {
  return tableCount(errors);
}

export function syntaxErrorPosition(index: u32): u32 {
  return report(errors, index).position;
}

/** The position that the message ends with, to be shown by the reader, or 0. */
export function syntaxErrorSecondPosition(index: u32): u32 {
  return report(errors, index).second;
}

export function syntaxErrorMessage(index: u32): Address {
  return report(errors, index).message;
}

export function syntaxErrorLength(index: u32): u32 {
  return report(errors, index).length;
}

export function syntaxWarningCount(): u32 {
  return tableCount(warnings);
}

export function syntaxWarningPosition(index: u32): u32 {
  return report(warnings, index).position;
}

/** The position that the message begins with ("at …: "), to be shown by the reader, or 0. */
export function syntaxWarningSecondPosition(index: u32): u32 {
  return report(warnings, index).second;
}

export function syntaxWarningMessage(index: u32): Address {
  return report(warnings, index).message;
}

export function syntaxWarningLength(index: u32): u32 {
  return report(warnings, index).length;
}

/** Takes what was written to the text buffer since `mark` away as the message of an error. */
export function reportError(position: u32, mark: u32, second: u32 = 0): void {
  const made = takeReport(position, mark, second);
  if (tableCount(errors) < MAX_SYNTAX_ERRORS) errors = appendToTable(errors, made);
}

/** The same for a warning. */
export function reportWarning(position: u32, mark: u32, second: u32 = 0): void {
  warnings = appendToTable(warnings, takeReport(position, mark, second));
}

/** An error whose message is a literal. */
export function reportErrorText(position: u32, message: string): void {
  const mark = textMark();
  appendText(message);
  reportError(position, mark);
}

/** An error of the form: before 'bytes' after. */
export function reportErrorAbout(position: u32, before: string, bytes: Address, length: u32, after: string): void {
  const mark = textMark();
  appendText(before);
  appendByte(0x27);
  appendBytes(bytes, length);
  appendByte(0x27);
  appendText(after);
  reportError(position, mark);
}

/** "syntax error, unexpected X, expecting A or B". More than four expected tokens are not listed. */
export function reportUnexpected(position: u32, token: u32, expected: TokenSet): void {
  const mark = textMark();
  appendText("syntax error, unexpected ");
  appendTokenName(token);
  const count = <u32>popcnt<u64>(expected);
  if (count > 0 && count <= 4) {
    let first = true;
    for (let candidate: u32 = 0; candidate < TOKEN_COUNT; candidate++) {
      if (!hasToken(expected, candidate)) continue;
      appendText(first ? ", expecting " : " or ");
      appendTokenName(candidate);
      first = false;
    }
  }
  reportError(position, mark);
}

function report(table: Table, index: u32): Report {
  return changetype<Report>(tableItem(table, index));
}

function takeReport(position: u32, mark: u32, second: u32): Address {
  const made = changetype<Report>(allocateInArena(offsetof<Report>()));
  const length = textLengthFrom(mark);
  made.position = position;
  made.second = second;
  made.length = length;
  made.message = allocateInArena(length);
  memory.copy(made.message, textStart(mark), length);
  textRewind(mark);
  return changetype<Address>(made);
}
