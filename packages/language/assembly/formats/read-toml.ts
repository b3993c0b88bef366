// Values from TOML 1.0 texts: `builtins.fromTOML`.
//
// Accepts what toml11 4 accepts, which Nix uses. Beyond the specification that is: a header may stand on the line of a
// value, behind it (`a = 1 [b]`), and a header may go through a table that dotted keys made.
//
// Values are read without recursion, as in read-json.ts. On the word stack lies, for each open array or inline table,
// [place of the enclosing one × 2 + 1 for a table][table, or whether all items so far are tables], then the items of an
// array, or the names of the key whose value is being read.

import { Address } from "../memory/chunks";
import { compress } from "../memory/pointers";
import { Symbol, internBytes } from "../symbols/symbols";
import { EMPTY_ATTRS, EMPTY_LIST } from "../values/constants";
import { listItems, makeList } from "../values/list";
import { stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";
import { raiseNulError } from "./nul-error";
import { beginObjects } from "./object-shapes";
import { raiseTomlError, raiseTomlErrorAt } from "./toml-error";
import { beginScalars, readQuotedName, readScalar, sawDate, scalarEnd, stringWithNul } from "./toml-scalars";
import {
  NONE,
  afterBasicString,
  afterComment,
  afterLiteralString,
  afterNewline,
  afterSpace,
  byteAt,
  isBareKeyByte,
  setTomlText,
} from "./toml-syntax";
import {
  DOTTED,
  ENTRY_ARRAY,
  ENTRY_INLINE_ARRAY,
  ENTRY_INLINE_TABLE,
  ENTRY_TABLE,
  ENTRY_VALUE,
  EXPLICIT,
  IMPLICIT,
  addEntry,
  appendTable,
  clearTables,
  entryKind,
  entryTable,
  findEntry,
  makeTable,
  setTableForm,
  tableForm,
  tableValue,
} from "./toml-tables";
import { clearWords, dropWords, pushWord, setWordAt, wordAt, wordCount, wordsAt } from "./word-stack";

const KIND_DOTTED_KEYS: u32 = 0;
const KIND_TABLE_HEADER: u32 = 1;
const KIND_ARRAY_HEADER: u32 = 2;

let text: Address = 0;
let length: u32 = 0;
let at: u32 = 0;
/** The place of the innermost open array or inline table. */
let container: u32 = 0;
const NO_CONTAINER: u32 = 0x7fffffff;
/** The ENTRY_ kind of the value that was read last. */
let valueKind: u32 = 0;
/** Where the key or header that was read last began, and its length. */
let keyStart: u32 = 0;
let keySize: u32 = 0;

/** The value of a TOML text: a set. Raises an error when it is none. */
export function readToml(string: Value): Value {
  text = stringBytes(string);
  length = stringLength(string);
  setTomlText(text, length);
  beginScalars(text, length);
  beginObjects();
  clearTables();
  clearWords();
  at = byteAt(0) == 0xef && byteAt(1) == 0xbb && byteAt(2) == 0xbf ? 3 : 0;
  const root = makeTable(EXPLICIT);
  readDocument(root);
  if (stringWithNul != 0) {
    raiseNulError(stringBytes(stringWithNul), stringLength(stringWithNul), "while parsing TOML: error: ");
  }
  if (sawDate) raiseTomlError("Dates and times are not supported");
  return tableValue(root);
}

function fail(title: string, remark: string = "here", hint: string = ""): void {
  raiseTomlErrorAt(text, length, at, 1, title, remark, hint);
}

/** Fails at the key that was read last. */
function failAtKey(title: string, remark: string): void {
  raiseTomlErrorAt(text, length, keyStart, keySize, title, remark, "");
}

// ── Lines ──

function readDocument(root: u32): void {
  while (readComment());
  readPairs(root);
  while (at < length) {
    skipSpacer();
    if (at >= length) return;
    readHeader(root);
  }
}

/** Reads key-value pairs up to a header or the end. */
function readPairs(table: u32): void {
  let atLineStart = true;
  while (at < length) {
    const start = at;
    if (skipSpacer()) atLineStart = true;
    if (at >= length) return;
    if (byteAt(at) == 0x5b) {
      at = start;
      return;
    }
    if (!atLineStart) fail("toml::parse_table: newline (LF / CRLF) or EOF is expected");
    const names = wordCount();
    readKeyAndSign();
    const key = keyStart;
    const keyLength = keySize;
    const value = readValue();
    atLineStart = readComment();
    keyStart = key;
    keySize = keyLength;
    insertValue(table, names, valueKind, value);
    dropWords(names);
  }
}

function readHeader(root: u32): void {
  const start = at;
  const isArray = byteAt(at) == 0x5b && byteAt(at + 1) == 0x5b;
  if (byteAt(at) != 0x5b) fail("toml::parse_file: invalid table key", "expected `[`");
  at = afterSpace(at + (isArray ? 2 : 1));
  const names = wordCount();
  if (!readKey(true)) failHeader(start, isArray);
  at = afterSpace(at);
  if (byteAt(at) != 0x5d || (isArray && byteAt(at + 1) != 0x5d)) failHeader(start, isArray);
  at += isArray ? 2 : 1;
  keyStart = start;
  keySize = at - start;
  if (!readComment()) endHeaderLine();
  const table = insertHeader(root, names, isArray);
  dropWords(names);
  readPairs(table);
}

function failHeader(start: u32, isArray: bool): void {
  at = start;
  if (isArray) fail("toml::parse_file: invalid array-table key");
  fail("toml::parse_file: invalid table key");
}

function endHeaderLine(): void {
  at = afterSpace(at);
  if (at >= length) return;
  const next = afterNewline(at);
  if (next == NONE) fail("toml::parse_file: newline (or EOF) expected", "expected 0x0a(LINE FEED) or");
  at = next;
}

/** Reads a comment with its line break, if there is one behind spaces. */
function readComment(): bool {
  const end = afterComment(afterSpace(at));
  if (end == NONE) return false;
  if (end < length) {
    const next = afterNewline(end);
    if (next == NONE) {
      at = end;
      fail("toml::parse_comment_line: newline (LF / CRLF) or EOF is expected", "but got this");
    }
    at = next;
  } else {
    at = end;
  }
  return true;
}

/** Skips spaces, line breaks and comments; whether there was a line break. */
function skipSpacer(): bool {
  let found = false;
  while (true) {
    at = afterSpace(at);
    const comment = afterComment(at);
    if (comment != NONE && comment >= length) {
      at = length;
      return found;
    }
    const next = afterNewline(comment == NONE ? at : comment);
    if (next == NONE) return found;
    found = true;
    at = next;
  }
}

// ── Keys ──

/** Pushes the names of a key, which may be dotted. In a header a faulty name is not this key's error: gives false. */
function readKey(inHeader: bool): bool {
  keyStart = at;
  while (true) {
    if (inHeader && !isName(at)) return false;
    pushWord(readName());
    keySize = at - keyStart;
    const dot = afterSpace(at);
    if (byteAt(dot) != 0x2e) return true;
    at = afterSpace(dot + 1);
  }
}

/** Whether a name, in quotes or not, begins and ends well. */
function isName(from: u32): bool {
  const byte = byteAt(from);
  if (byte == 0x22) return afterBasicString(from) != NONE;
  return byte == 0x27 ? afterLiteralString(from) != NONE : isBareKeyByte(byte);
}

function readName(): Symbol {
  const byte = byteAt(at);
  if (byte == 0x22 || byte == 0x27) {
    const name = readQuotedName(at);
    at = scalarEnd;
    return name;
  }
  const start = at;
  while (isBareKeyByte(byteAt(at))) at++;
  if (at == start) {
    fail(
      "toml::parse_simple_key: invalid key: key must be \"quoted\", 'quoted-literal', or bare key.",
      "expected alpha [a-zA-Z], digit [0-9], -, or _",
      "Hint: non-ASCII scripts are allowed in toml v1.1.0, but not in v1.0.0.\n",
    );
  }
  return internBytes(text + start, at - start);
}

function readKeyAndSign(): void {
  readKey(false);
  const sign = afterSpace(at);
  if (byteAt(sign) != 0x3d) fail("toml::parse_key_value_pair: invalid key value separator `=`", "expected =");
  at = afterSpace(sign + 1);
}

// ── Values ──

/** Reads a value; its kind is `valueKind`. */
function readValue(): Value {
  container = NO_CONTAINER;
  while (true) {
    let value = beginValue();
    if (value == 0) continue;
    while (true) {
      if (container == NO_CONTAINER) return value;
      value = addToContainer(value);
      if (value == 0) break;
    }
  }
}

/** Reads a scalar or an empty container; opens any other container and gives 0. */
function beginValue(): Value {
  const byte = byteAt(at);
  if (byte == 0x5b) return openArray();
  if (byte == 0x7b) return openInlineTable();
  const value = readScalar(at);
  at = scalarEnd;
  valueKind = ENTRY_VALUE;
  return value;
}

function openArray(): Value {
  at++;
  skipSpacer();
  if (byteAt(at) == 0x5d) {
    at++;
    valueKind = ENTRY_VALUE;
    return EMPTY_LIST;
  }
  if (at >= length) failUnclosedArray();
  pushContainer(0, 1);
  return 0;
}

function openInlineTable(): Value {
  at = afterSpace(at + 1);
  if (byteAt(at) == 0x7d) {
    at++;
    valueKind = ENTRY_INLINE_TABLE;
    return EMPTY_ATTRS;
  }
  pushContainer(1, makeTable(EXPLICIT));
  readKeyAndSign();
  return 0;
}

function pushContainer(isTable: u32, content: u32): void {
  const outer = container;
  container = wordCount();
  pushWord((outer << 1) | isTable);
  pushWord(content);
}

@inline
function containerContent(): u32 {
  return wordAt(container + 1);
}

/** Adds a value to the innermost container. When that is complete, gives it as a value; else 0, and the next one follows. */
function addToContainer(value: Value): Value {
  return (wordAt(container) & 1) != 0 ? addToInlineTable(value) : addToArray(value);
}

function addToArray(value: Value): Value {
  if (valueKind != ENTRY_INLINE_TABLE) setWordAt(container + 1, 0);
  pushWord(compress(value));
  skipSpacer();
  const comma = byteAt(at) == 0x2c;
  if (comma) at++;
  readComment();
  if (comma) skipSpacer();
  if (at >= length) failUnclosedArray();
  if (byteAt(at) != 0x5d) {
    if (!comma) fail("toml::parse_array: expected value-separator `,` or closing `]`");
    return 0;
  }
  at++;
  const first = container + 2;
  const count = wordCount() - first;
  const list = makeList(count);
  memory.copy(listItems(list), wordsAt(first), count << 2);
  valueKind = containerContent() != 0 ? ENTRY_INLINE_ARRAY : ENTRY_VALUE;
  popContainer();
  return list;
}

function failUnclosedArray(): void {
  fail("toml::parse_array: missing closing bracket `]`", "expected `]`, reached EOF");
}

function addToInlineTable(value: Value): Value {
  insertValue(containerContent(), container + 2, valueKind, value);
  dropWords(container + 2);
  at = afterSpace(at);
  const comma = byteAt(at) == 0x2c;
  if (comma) at = afterSpace(at + 1);
  if (byteAt(at) != 0x7d) {
    if (!comma) fail("toml::parse_inline_table: expected value-separator `,` or closing `}`");
    readKeyAndSign();
    return 0;
  }
  if (comma) fail("toml::parse_inline_table: trailing comma is not allowed in TOML-v1.0.0)");
  at++;
  const table = tableValue(containerContent());
  valueKind = ENTRY_INLINE_TABLE;
  popContainer();
  return table;
}

function popContainer(): void {
  const outer = wordAt(container) >>> 1;
  dropWords(container);
  container = outer;
}

// ── Tables ──

/** Sets the value of the key whose names lie on the word stack from `names` on. */
function insertValue(table: u32, names: u32, kind: u32, value: Value): void {
  const last = wordCount() - 1;
  const owner = descend(table, names, last, KIND_DOTTED_KEYS);
  if (findEntry(owner, wordAt(last)) != 0) {
    failAtKey("toml::insert_value: failed to insert a value, value already exists", "inserting this");
  }
  addEntry(owner, wordAt(last), kind, compress(value));
}

/** Makes or finds the table that a header means. */
function insertHeader(root: u32, names: u32, isArray: bool): u32 {
  const last = wordCount() - 1;
  const owner = descend(root, names, last, isArray ? KIND_ARRAY_HEADER : KIND_TABLE_HEADER);
  const entry = findEntry(owner, wordAt(last));
  return isArray ? insertArrayTable(owner, wordAt(last), entry) : insertTable(owner, wordAt(last), entry);
}

function insertTable(owner: u32, name: Symbol, entry: u32): u32 {
  if (entry == 0) {
    const table = makeTable(EXPLICIT);
    addEntry(owner, name, ENTRY_TABLE, table);
    return table;
  }
  if (entryKind(entry) != ENTRY_TABLE || tableForm(entryTable(entry)) != IMPLICIT) {
    failAtKey("toml::insert_value: failed to insert a table, table already defined", "inserting this");
  }
  setTableForm(entryTable(entry), EXPLICIT);
  return entryTable(entry);
}

function insertArrayTable(owner: u32, name: Symbol, entry: u32): u32 {
  const array = entry == 0 ? addEntry(owner, name, ENTRY_ARRAY, 0) : entry;
  const kind = entryKind(array);
  if (kind == ENTRY_INLINE_ARRAY) {
    failAtKey("toml::insert_value: failed to insert a table, inline array of tables is immutable", "while inserting this");
  }
  if (kind != ENTRY_ARRAY) {
    failAtKey("toml::insert_value: failed to insert an array of tables, value already exists", "while inserting this");
  }
  const table = makeTable(EXPLICIT);
  appendTable(array, table);
  return table;
}

/** Follows names up to the one before `last`, making tables that are not there. */
function descend(from: u32, names: u32, last: u32, kind: u32): u32 {
  let table = from;
  for (let i = names; i < last; i++) {
    const entry = findEntry(table, wordAt(i));
    if (entry != 0) {
      table = enter(entry, kind);
      continue;
    }
    const made = makeTable(kind == KIND_DOTTED_KEYS ? DOTTED : IMPLICIT);
    addEntry(table, wordAt(i), ENTRY_TABLE, made);
    table = made;
  }
  return table;
}

/** The table behind an entry on the way to another one. */
function enter(entry: u32, kind: u32): u32 {
  switch (entryKind(entry)) {
    case ENTRY_TABLE:
      if (kind == KIND_DOTTED_KEYS && tableForm(entryTable(entry)) != DOTTED) {
        failAtKey("toml::insert_value: reopening a table using dotted keys", "dotted key cannot reopen a table");
      }
      break;
    case ENTRY_ARRAY:
      if (kind == KIND_DOTTED_KEYS) {
        failAtKey("toml::insert_value:dotted key cannot reopen an array-of-tables", "inserting this");
      }
      break;
    case ENTRY_INLINE_TABLE:
      failAtKey("toml::insert_value: failed to insert a value: inline table is immutable", "inserting this");
      break;
    case ENTRY_INLINE_ARRAY:
      failAtKey("toml::insert_value:inline array of tables are immutable", "inserting this");
      break;
    default:
      failAtKey("toml::insert_value: failed to insert a value, value already exists", "while inserting this");
  }
  return entryTable(entry);
}
