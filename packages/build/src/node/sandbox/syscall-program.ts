/**
 * A table of system calls for the launcher (`launcher.ts`), which is mapped at `programBase`:
 *
 *     header   result of the last call i64, address of its row u64
 *     row      number u64, six arguments u64, then what is added to get the next row:
 *              after an error, after 0, after a positive result
 *     data     what arguments point to
 *
 * A row that fails goes to the last two rows, unless it says otherwise: they send the header as a record to the status
 * descriptor, and end the process. Records have 16 bytes; the first word says what it is:
 *
 *     < 0   the call of the row at the address in the second word failed with this error
 *     1     the command starts now
 *     2     the command has ended; the second word is what `wait` said
 *     3     the first process of the sandbox is ready; it goes on with a byte from the go descriptor
 */
import { constants as osConstants } from 'node:os';
import { encodeUtf8 } from '@neve/bytes';
import { type Machine, maxProgramBytes, programBase } from './launcher.ts';

const headerBytes = 16;
const rowBytes = 80;
export const recordBytes = 16;

export const statusDescriptor = 5;
export const goDescriptor = 6;
export const logDescriptor = 7;

export const recordKind = { started: 1, ended: 2, ready: 3 } as const;

/** By name: on x86_64 and on aarch64. */
const numbers = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  ioctl: [16, 29],
  socket: [41, 198],
  clone: [56, 220],
  execve: [59, 221],
  wait4: [61, 260],
  chdir: [80, 49],
  umask: [95, 166],
  setsid: [112, 157],
  setgroups: [116, 159],
  setresuid: [117, 147],
  setresgid: [119, 149],
  personality: [135, 92],
  pivot_root: [155, 41],
  prctl: [157, 167],
  mount: [165, 40],
  umount2: [166, 39],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  exit_group: [231, 94],
  openat: [257, 56],
  unshare: [272, 97],
  dup3: [292, 24],
  prlimit64: [302, 261],
  rt_sigaction: [13, 134],
  seccomp: [317, 277],
  close_range: [436, 436],
  mount_setattr: [442, 442],
  landlock_create_ruleset: [444, 444],
  landlock_restrict_self: [446, 446],
} as const;

export type SyscallName = keyof typeof numbers;

/** Bytes in the data of the table, known by where they will be. */
export class ProgramData {
  readonly words: readonly Argument[] | undefined;
  readonly bytes: Uint8Array;

  constructor(content: Uint8Array | readonly Argument[]) {
    const isBytes = content instanceof Uint8Array;
    this.words = isBytes ? undefined : content;
    this.bytes = isBytes ? content : new Uint8Array(content.length * 8);
  }
}

/** A number, also a negative one, or the address of data; `offset` bytes after its start. */
export type Argument =
  | number
  | bigint
  | ProgramData
  | { readonly data: ProgramData; readonly offset: number };

/** A row that others go to. */
export class Label {
  row: number | undefined;
}

export type CallOptions = {
  /** What it is for, in an error: "cannot mount /proc". */
  readonly purpose: string;
  /** What follows an error. */
  readonly onError?: 'fail' | 'next' | Label;
  readonly onZero?: 'fail' | 'next' | Label;
  readonly onPositive?: 'next' | Label;
};

type Row = { readonly number: number; readonly args: readonly Argument[]; readonly options: CallOptions };

/** What a failed row says. */
export type ProgramFailure = { readonly purpose: string; readonly errno: string };

export class SyscallProgram {
  readonly #machine: Machine;
  readonly #rows: Row[] = [];
  readonly #data: ProgramData[] = [];
  readonly #texts = new Map<string, ProgramData>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  call(name: SyscallName, args: readonly Argument[], options: CallOptions): this {
    const number = numbers[name][this.#machine === 'x86_64' ? 0 : 1];
    this.#rows.push({ number, args, options });
    return this;
  }

  /** The next row is what `label` means. */
  place(label: Label): this {
    label.row = this.#rows.length;
    return this;
  }

  /** Bytes that rows may change; 8-aligned. */
  data(bytes: Uint8Array): ProgramData {
    return this.#add(new ProgramData(bytes));
  }

  /** Words of 64 bits, which may be addresses. */
  words(words: readonly Argument[]): ProgramData {
    return this.#add(new ProgramData(words));
  }

  /** Text, or bytes, with a NUL at its end. */
  text(text: string | Uint8Array): ProgramData {
    if (typeof text !== 'string') return this.data(withNul(text));
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const data = this.data(withNul(encodeUtf8(text)));
    this.#texts.set(text, data);
    return data;
  }

  #add(data: ProgramData): ProgramData {
    this.#data.push(data);
    return data;
  }

  /** The table. Nothing can be added afterwards. Throws `RangeError` when it is too large. */
  encode(): Uint8Array {
    const end = this.#rows.length;
    this.call('write', [statusDescriptor, programBase, recordBytes], { purpose: 'report', onError: 'next' });
    this.call('exit_group', [125], { purpose: 'exit' });
    const places = new Map<ProgramData, number>();
    let size = headerBytes + this.#rows.length * rowBytes;
    for (const data of this.#data) {
      places.set(data, size);
      size += Math.ceil(data.bytes.length / 8) * 8;
    }
    if (size > maxProgramBytes) {
      throw new RangeError(`${size} bytes of arguments, environment and mounts are more than fit`);
    }
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (const [data, at] of places) {
      if (data.words === undefined) bytes.set(data.bytes, at);
      else for (const [i, word] of data.words.entries()) writeWord(view, at + i * 8, wordOf(word, places));
    }
    for (const [index, { number, args, options }] of this.#rows.entries()) {
      const at = headerBytes + index * rowBytes;
      writeWord(view, at, BigInt(number));
      for (const [i, arg] of args.entries()) writeWord(view, at + 8 + i * 8, wordOf(arg, places));
      const { onError = 'fail', onZero = 'next', onPositive = 'next' } = options;
      for (const [i, target] of [onError, onZero, onPositive].entries()) {
        const row = target === 'next' ? index + 1 : target === 'fail' ? end : rowOf(target);
        writeWord(view, at + 56 + i * 8, BigInt((row - index) * rowBytes));
      }
    }
    return bytes;
  }

  /** Of a record whose first word is negative. */
  explain(error: bigint, address: bigint): ProgramFailure {
    const row = this.#rows[Number((address - programBase - BigInt(headerBytes)) / BigInt(rowBytes))];
    return { purpose: row?.options.purpose ?? 'unknown', errno: errnoName(-Number(error)) };
  }
}

function withNul(bytes: Uint8Array): Uint8Array {
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}

function rowOf({ row }: Label): number {
  if (row === undefined) throw new Error('a row goes to a label that was never placed');
  return row;
}

function wordOf(argument: Argument, places: ReadonlyMap<ProgramData, number>): bigint {
  if (typeof argument === 'number' || typeof argument === 'bigint') return BigInt(argument);
  const [data, offset] = argument instanceof ProgramData ? [argument, 0] : [argument.data, argument.offset];
  const place = places.get(data);
  if (place === undefined) throw new Error('an argument is the data of another table');
  return programBase + BigInt(place + offset);
}

function writeWord(view: DataView, at: number, word: bigint): void {
  view.setBigUint64(at, BigInt.asUintN(64, word), true);
}

const errnoNames = new Map(Object.entries(osConstants.errno).map(([name, number]) => [number, name]));

function errnoName(number: number): string {
  return errnoNames.get(number) ?? `error ${number}`;
}
