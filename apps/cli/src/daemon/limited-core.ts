/**
 * The language core with a bound on its memory, so that an evaluation that wants more fails instead of taking the memory of
 * all. The module says itself how large its memory may become; this writes another number there.
 *
 *     module: magic, version | sections: id u8, size LEB128, contents
 *     section 5: number of memories (1) | flags: 1 if there is a maximum | minimum | maximum, in pages of 64 KiB
 *
 * Source: WebAssembly core specification, 5.5 "Modules".
 */
const headerBytes = 8;
const memorySection = 5;
const pageBytes = 65_536;

/** Throws `RangeError` for what is no module with one memory. */
export function limitedCore(module: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  for (let at = headerBytes; at < module.length;) {
    const size = readNumber(module, at + 1);
    const end = size.end + size.value;
    if (module[at] !== memorySection) {
      at = end;
      continue;
    }
    const minimum = readNumber(module, size.end + 2);
    const maximum = Math.max(minimum.value, Math.floor(maxBytes / pageBytes));
    const contents = [1, 1, ...numberBytes(minimum.value), ...numberBytes(maximum)];
    const section = [memorySection, ...numberBytes(contents.length), ...contents];
    return new Uint8Array(
      Buffer.concat([module.subarray(0, at), Buffer.from(section), module.subarray(end)]),
    );
  }
  throw new RangeError('the language core is no module with a memory');
}

function readNumber(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = start, factor = 1; ; at++, factor *= 128) {
    const byte = bytes[at];
    if (byte === undefined) throw new RangeError('the language core is cut off');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: at + 1 };
  }
}

function numberBytes(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
