/**
 * The system calls that no build may make, as a BPF program for `seccomp(2)`:
 *
 *   - giving a file the set-user-ID or set-group-ID bit: `EPERM`;
 *   - extended attributes and ACLs: `ENOTSUP`, since nothing keeps them and not every file system has them;
 *   - what belongs to another architecture than those of the machine, and the x32 calls of x86_64: `ENOSYS`.
 *
 * On x86_64 the calls of i386 are known, on aarch64 those of arm. Numbers are those of the kernel's tables. The filter sees
 *
 *     struct seccomp_data   number u32, architecture u32, instruction pointer u64, six arguments u64
 *
 * A program is a list of `struct sock_filter`: operation u16, skip when true u8, skip when false u8, operand u32.
 */
import type { Machine } from './launcher.ts';

const load = 0x20; // BPF_LD | BPF_W | BPF_ABS
const ifEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const ifAtLeast = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const ifAnyBit = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const answer = 0x06; // BPF_RET | BPF_K

const allow = 0x7fff_0000;
const refuse = 0x0005_0000; // with an error number
const eperm = 1;
const enosys = 38;
const enotsup = 95;

const specialBits = 0o6000;
const x32Bit = 0x4000_0000;

/** `mode` is which argument of a call that sets permissions has them. */
type Calls = {
  readonly architecture: number;
  readonly modes: readonly { readonly number: number; readonly mode: number }[];
  readonly attributes: readonly number[];
};

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** `fchmodat2`, and `setxattrat` to `removexattrat`, have the same numbers everywhere. */
const fchmodat2 = { number: 452, mode: 2 };
const newAttributes = range(463, 466);

const callsOf: Readonly<Record<'x86_64' | 'i386' | 'aarch64' | 'arm', Calls>> = {
  x86_64: {
    architecture: 0xc000_003e,
    modes: [{ number: 90, mode: 1 }, { number: 91, mode: 1 }, { number: 268, mode: 2 }, fchmodat2],
    attributes: [...range(188, 199), ...newAttributes],
  },
  i386: {
    architecture: 0x4000_0003,
    modes: [{ number: 15, mode: 1 }, { number: 94, mode: 1 }, { number: 306, mode: 2 }, fchmodat2],
    attributes: [...range(226, 237), ...newAttributes],
  },
  aarch64: {
    architecture: 0xc000_00b7,
    modes: [{ number: 52, mode: 1 }, { number: 53, mode: 2 }, fchmodat2],
    attributes: [...range(5, 16), ...newAttributes],
  },
  arm: {
    architecture: 0x4000_0028,
    modes: [{ number: 15, mode: 1 }, { number: 94, mode: 1 }, { number: 333, mode: 2 }, fchmodat2],
    attributes: [...range(226, 237), ...newAttributes],
  },
};

type Instruction = readonly [operation: number, ifTrue: number, ifFalse: number, operand: number];

/** The program for a machine, and how many instructions it has. */
export function seccompFilter(machine: Machine): { readonly bytes: Uint8Array; readonly length: number } {
  const architectures = machine === 'x86_64' ? (['x86_64', 'i386'] as const) : (['aarch64', 'arm'] as const);
  const program: Instruction[] = [];
  for (const name of architectures) {
    const body = filterOf(callsOf[name], name === 'x86_64');
    program.push([load, 0, 0, 4], [ifEqual, 0, 0, callsOf[name].architecture]);
    // A conditional jump reaches 255 instructions; bodies are shorter.
    program[program.length - 1] = [ifEqual, 0, body.length, callsOf[name].architecture];
    program.push(...body);
  }
  program.push([answer, 0, 0, refuse | enosys]);
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [operation, ifTrue, ifFalse, operand]] of program.entries()) {
    view.setUint16(i * 8, operation, true);
    bytes.set([ifTrue, ifFalse], i * 8 + 2);
    view.setUint32(i * 8 + 4, operand, true);
  }
  return { bytes, length: program.length };
}

/** What is done with the calls of one architecture; it ends with an answer for all others. */
function filterOf({ modes, attributes }: Calls, hasX32: boolean): readonly Instruction[] {
  const body: Instruction[] = [[load, 0, 0, 0]];
  if (hasX32) body.push([ifAtLeast, 0, 1, x32Bit], [answer, 0, 0, refuse | enosys]);
  for (const number of attributes) {
    body.push([ifEqual, 0, 1, number], [answer, 0, 0, refuse | enotsup]);
  }
  for (const { number, mode } of modes) {
    body.push(
      [ifEqual, 0, 4, number],
      [load, 0, 0, 16 + mode * 8],
      [ifAnyBit, 0, 1, specialBits],
      [answer, 0, 0, refuse | eperm],
      [answer, 0, 0, allow],
    );
  }
  body.push([answer, 0, 0, allow]);
  return body;
}
