// The names a bracket expression may use: classes ("[:alpha:]") and collating elements ("[.hyphen.]", "[=a=]").
//
// Classes are those of the C locale, so no byte from 0x80 on is in any of them. Besides the twelve of POSIX there are
// "d", "w" and "s", and case does not matter in a class name: libstdc++ has it so. Collating elements are the
// names of the portable character set (POSIX, XBD 6.1) in the order of their codes; a digit or a punctuation mark does
// not name itself, a letter does.

import { ByteSet, addByte, addRange } from "./byte-set";

/** Returned by `collatingElement` when there is none of that name. */
export const NO_ELEMENT: u32 = 256;

/** Adds the members of the named class to `set`; false when there is no such class. */
export function addClass(set: ByteSet, name: usize, length: u32): bool {
  switch (indexOfWord("d w s alnum alpha blank cntrl digit graph lower print punct space upper xdigit ", name, length, true)) {
    case 1:
      addByte(set, 0x5f);
    case 3:
      addAlpha(set);
    case 0:
    case 7:
      addRange(set, 0x30, 0x39);
      break;
    case 4:
      addAlpha(set);
      break;
    case 5:
      addByte(set, 0x09);
      addByte(set, 0x20);
      break;
    case 6:
      addRange(set, 0x00, 0x1f);
      addByte(set, 0x7f);
      break;
    case 8:
      addRange(set, 0x21, 0x7e);
      break;
    case 9:
      addRange(set, 0x61, 0x7a);
      break;
    case 10:
      addRange(set, 0x20, 0x7e);
      break;
    case 11:
      addRange(set, 0x21, 0x2f);
      addRange(set, 0x3a, 0x40);
      addRange(set, 0x5b, 0x60);
      addRange(set, 0x7b, 0x7e);
      break;
    case 2:
    case 12:
      addRange(set, 0x09, 0x0d);
      addByte(set, 0x20);
      break;
    case 13:
      addRange(set, 0x41, 0x5a);
      break;
    case 14:
      addRange(set, 0x30, 0x39);
      addRange(set, 0x41, 0x46);
      addRange(set, 0x61, 0x66);
      break;
    default:
      return false;
  }
  return true;
}

/** The byte that a collating name stands for, or NO_ELEMENT. */
export function collatingElement(name: usize, length: u32): u32 {
  if (length == 1) {
    const letter = <u32>load<u8>(name);
    return isLetter(letter) ? letter : NO_ELEMENT;
  }
  let index = indexOfWord(
    "NUL SOH STX ETX EOT ENQ ACK alert backspace tab newline vertical-tab form-feed carriage-return SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC IS4 IS3 IS2 IS1 space exclamation-mark quotation-mark number-sign dollar-sign percent-sign ampersand apostrophe left-parenthesis right-parenthesis asterisk plus-sign comma hyphen period slash zero one two three four five six seven eight nine colon semicolon less-than-sign equals-sign greater-than-sign question-mark commercial-at ",
    name,
    length,
    false,
  );
  if (index >= 0) return <u32>index;
  index = indexOfWord("left-square-bracket backslash right-square-bracket circumflex underscore grave-accent ", name, length, false);
  if (index >= 0) return 0x5b + <u32>index;
  index = indexOfWord("left-curly-bracket vertical-line right-curly-bracket tilde DEL ", name, length, false);
  return index >= 0 ? 0x7b + <u32>index : NO_ELEMENT;
}

/** An ASCII letter in lower case, any other byte as it is. */
@inline
export function lowerCase(byte: u32): u32 {
  return byte - 0x41 < 26 ? byte + 0x20 : byte;
}

@inline
export function isLetter(byte: u32): bool {
  return lowerCase(byte) - 0x61 < 26;
}

function addAlpha(set: ByteSet): void {
  addRange(set, 0x41, 0x5a);
  addRange(set, 0x61, 0x7a);
}

/** Which word of `words`, each followed by one space, equals the name; -1 for none. */
function indexOfWord(words: string, name: usize, length: u32, ignoreCase: bool): i32 {
  const total = <u32>words.length;
  let index: i32 = 0;
  let from: u32 = 0;
  while (from < total) {
    let end = from;
    while (words.charCodeAt(end) != 0x20) end++;
    if (end - from == length && isWord(words, from, name, length, ignoreCase)) return index;
    from = end + 1;
    index++;
  }
  return -1;
}

function isWord(words: string, from: u32, name: usize, length: u32, ignoreCase: bool): bool {
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(name + i);
    if (<u32>words.charCodeAt(from + i) != (ignoreCase ? lowerCase(byte) : byte)) return false;
  }
  return true;
}
