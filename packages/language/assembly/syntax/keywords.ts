// The words of the grammar.

import { Address } from "../memory/chunks";
import { bytesEqualText } from "../memory/bytes";
import {
  TOKEN_ASSERT, TOKEN_ELSE, TOKEN_IF, TOKEN_IN, TOKEN_INHERIT, TOKEN_LET, TOKEN_NAME, TOKEN_OR_WORD, TOKEN_REC,
  TOKEN_THEN, TOKEN_WITH,
} from "./tokens";

/** The token of a word: its own, or TOKEN_NAME. */
export function wordToken(word: Address, length: u32): u32 {
  if (length < 2 || length > 7) return TOKEN_NAME;
  switch (<u32>load<u8>(word)) {
    case 0x61: return match(word, length, "assert", TOKEN_ASSERT);
    case 0x65: return match(word, length, "else", TOKEN_ELSE);
    case 0x69:
      if (length == 7) return match(word, length, "inherit", TOKEN_INHERIT);
      return <u32>load<u8>(word, 1) == 0x66 ? match(word, length, "if", TOKEN_IF) : match(word, length, "in", TOKEN_IN);
    case 0x6c: return match(word, length, "let", TOKEN_LET);
    case 0x6f: return match(word, length, "or", TOKEN_OR_WORD);
    case 0x72: return match(word, length, "rec", TOKEN_REC);
    case 0x74: return match(word, length, "then", TOKEN_THEN);
    case 0x77: return match(word, length, "with", TOKEN_WITH);
    default: return TOKEN_NAME;
  }
}

/** Whether a name must be quoted where a word would stand: every word but `or`. */
export function isReservedWord(word: Address, length: u32): bool {
  const token = wordToken(word, length);
  return token != TOKEN_NAME && token != TOKEN_OR_WORD;
}

@inline
function match(word: Address, length: u32, spelling: string, token: u32): u32 {
  return bytesEqualText(word, length, spelling) ? token : TOKEN_NAME;
}
