/**
 * The records of a pax extended header: `length SP keyword = value LF`, where the decimal length counts the whole
 * record, itself and the line feed too. Values are bytes: pax says UTF-8, and `hdrcharset=BINARY` that they are
 * not; the difference does not matter to us. An empty value takes an earlier one away. Source: POSIX.1-2017 pax,
 * "pax Extended Header".
 */
import { decodeUtf8 } from '@neve/bytes';
import { CastoreError } from '../castore-error.ts';

export type PaxRecord = { readonly keyword: string; readonly value: Uint8Array };

const space = 0x20;
const equals = 0x3d;
const lineFeed = 0x0a;

/** In order, since the sparse map of GNU's oldest format repeats keywords. Throws `CastoreError` (`invalid-archive`). */
export function parsePaxRecords(bytes: Uint8Array): readonly PaxRecord[] {
  const records: PaxRecord[] = [];
  let start = 0;
  while (start < bytes.length) {
    const lengthEnd = bytes.indexOf(space, start);
    if (lengthEnd === -1) throw invalid('has a record without a length');
    const length = parsePaxNumber(bytes.subarray(start, lengthEnd), 'length of a record');
    const end = start + length;
    if (end > bytes.length || end <= lengthEnd + 1) throw invalid('has a record of a wrong length');
    if (bytes[end - 1] !== lineFeed) throw invalid('has a record that does not end with its line');
    const keywordEnd = bytes.indexOf(equals, lengthEnd);
    if (keywordEnd === -1 || keywordEnd >= end) throw invalid("has a record without '='");
    const keyword = decodeUtf8(bytes.subarray(lengthEnd + 1, keywordEnd));
    records.push({ keyword, value: bytes.slice(keywordEnd + 1, end - 1) });
    start = end;
  }
  return records;
}

/** A number in decimal digits and nothing else. Throws `CastoreError` (`invalid-archive`). */
export function parsePaxNumber(digits: Uint8Array, what: string): number {
  if (digits.length === 0 || digits.length > 20) throw invalid(`has no number as ${what}`);
  let value = 0;
  for (const byte of digits) {
    if (byte < 0x30 || byte > 0x39) throw invalid(`has no number as ${what}`);
    value = value * 10 + byte - 0x30;
  }
  if (!Number.isSafeInteger(value)) throw invalid(`has a number out of range as ${what}`);
  return value;
}

/** Whole seconds since 1970; `undefined` for what is no time, which no archive should be refused for. */
export function parsePaxTime(text: Uint8Array | undefined): number | undefined {
  const [, seconds] = /^(-?[0-9]{1,15})(?:\.[0-9]*)?$/.exec(text === undefined ? '' : decodeUtf8(text)) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

function invalid(problem: string): CastoreError {
  return new CastoreError('invalid-archive', `a pax header of the tar archive ${problem}`);
}
