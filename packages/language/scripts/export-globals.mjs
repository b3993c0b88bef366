// Adds an export for every mutable global of a WebAssembly module: what the module remembers outside of its memory. Together
// with the memory they are all of its state, which an image keeps (packages/eval/src/core-image.ts).
//
// The format is that of the WebAssembly core specification, 2.0, chapter 5.5. Exports come after optimisation, so that they
// change nothing of it.

const sectionImport = 2;
const sectionGlobal = 6;
const sectionExport = 7;
const kindGlobal = 3;

/** The name of the export of the mutable global number `index`. */
export const globalName = (/** @type {number} */ index) => `global:${index}`;

/**
 * @param {Uint8Array} wasm
 * @returns {Uint8Array}
 */
export function exportGlobals(wasm) {
  const sections = readSections(wasm);
  const mutable = mutableGlobals(wasm, sections);
  const parts = [wasm.subarray(0, 8)];
  for (const { id, start, end } of sections) {
    const content = wasm.subarray(start, end);
    const written = id === sectionExport ? withExports(content, mutable) : content;
    parts.push(Uint8Array.from([id, ...unsigned(written.length)]), written);
  }
  return Buffer.concat(parts);
}

/**
 * @typedef {{ id: number, start: number, end: number }} Section
 * @param {Uint8Array} wasm
 * @returns {Section[]}
 */
function readSections(wasm) {
  const reader = new Reader(wasm, 8);
  const sections = [];
  while (reader.at < wasm.length) {
    const id = reader.byte();
    const size = reader.unsigned();
    sections.push({ id, start: reader.at, end: reader.at + size });
    reader.at += size;
  }
  return sections;
}

/**
 * The numbers of the globals that the module changes.
 *
 * @param {Uint8Array} wasm
 * @param {readonly Section[]} sections
 * @returns {number[]}
 */
function mutableGlobals(wasm, sections) {
  if (importsGlobals(wasm, sections))
    throw new Error('the core imports a global, which the numbers do not count');
  const section = sections.find(({ id }) => id === sectionGlobal);
  if (section === undefined) return [];
  const reader = new Reader(wasm, section.start);
  const count = reader.unsigned();
  const mutable = [];
  for (let index = 0; index < count; index++) {
    reader.byte();
    if (reader.byte() === 1) mutable.push(index);
    reader.constantExpression();
  }
  return mutable;
}

/**
 * @param {Uint8Array} wasm
 * @param {readonly Section[]} sections
 */
function importsGlobals(wasm, sections) {
  const section = sections.find(({ id }) => id === sectionImport);
  if (section === undefined) return false;
  const reader = new Reader(wasm, section.start);
  const count = reader.unsigned();
  for (let i = 0; i < count; i++) {
    reader.name();
    reader.name();
    const kind = reader.byte();
    // The core imports functions only; anything else would have to be read over here.
    if (kind !== 0) return true;
    reader.unsigned();
  }
  return false;
}

/**
 * @param {Uint8Array} content
 * @param {readonly number[]} globals
 */
function withExports(content, globals) {
  const reader = new Reader(content, 0);
  const count = reader.unsigned();
  const added = globals.flatMap((index) => {
    const name = Buffer.from(globalName(index));
    return [...unsigned(name.length), ...name, kindGlobal, ...unsigned(index)];
  });
  return Buffer.concat([
    Uint8Array.from(unsigned(count + globals.length)),
    content.subarray(reader.at),
    Uint8Array.from(added),
  ]);
}

/**
 * LEB128.
 *
 * @param {number} value
 * @returns {number[]}
 */
function unsigned(value) {
  const bytes = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

class Reader {
  /** @type {Uint8Array} */
  #bytes;
  at;

  /**
   * @param {Uint8Array} bytes
   * @param {number} at
   */
  constructor(bytes, at) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.#bytes[this.at++] ?? 0;
  }

  unsigned() {
    let value = 0;
    let shift = 0;
    let byte;
    do {
      byte = this.byte();
      value |= (byte & 0x7f) << shift;
      shift += 7;
    } while ((byte & 0x80) !== 0);
    return value >>> 0;
  }

  /** Reads over a name. */
  name() {
    const length = this.unsigned();
    this.at += length;
  }

  /** Reads over the first value of a global: a constant and `end`. */
  constantExpression() {
    const opcode = this.byte();
    if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23) this.unsigned();
    else if (opcode === 0x43) this.at += 4;
    else if (opcode === 0x44) this.at += 8;
    else throw new Error(`a global begins with the instruction ${opcode}, which is not known here`);
    if (this.byte() !== 0x0b) throw new Error('the first value of a global is no constant');
  }
}
