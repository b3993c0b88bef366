/**
 * The launcher: a static program of less than 200 bytes that makes system calls from a table and nothing else. Whatever
 * has to happen between the making of a sandbox and the first instruction of a build is a row of such a table
 * (`syscall-program.ts`), so it is the same behind every kind of sandbox, needs no shell and no library inside, and an
 * environment or an `argv[0]` goes through it byte for byte.
 *
 *     mmap(base, 64 MiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, descriptor 4, 0), or exit(126)
 *     at = base + 16
 *     loop: result = syscall(at[0], at[1], …, at[6]);  base[0] = result;  base[1] = at
 *           at += result < 0 ? at[7] : result == 0 ? at[8] : at[9]
 *
 * `at[i]` is the i-th 64-bit word. It is an ELF executable with one segment, which holds its headers and the code.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../build-error.ts';

/** Where the table is mapped, above any program that is linked at a fixed address. */
export const programBase: bigint = 0x1_0000_0000n;

export const maxProgramBytes: number = 64 << 20;

/** The descriptor of the table. */
export const programDescriptor = 4;

export type Machine = 'x86_64' | 'aarch64';

/** The machine of this process. Throws `BuildError` (`no-sandbox`) for one that has no launcher. */
export function hostMachine(): Machine {
  if (process.platform === 'linux' && process.arch === 'x64') return 'x86_64';
  if (process.platform === 'linux' && process.arch === 'arm64') return 'aarch64';
  const found = `${process.arch} with ${process.platform}`;
  throw new BuildError('no-sandbox', `builds run on x86_64 and aarch64 with Linux; this machine is ${found}`);
}

/** Each line is an instruction of `at` (rbx), `base` (r12) and the registers of a system call. */
const x86Code = [
  '49 bc 00 00 00 00 01 00 00 00', //   movabs $0x100000000, %r12
  '4c 89 e7', //                        mov %r12, %rdi
  'be 00 00 00 04', //                  mov $0x4000000, %esi
  'ba 03 00 00 00', //                  mov $3, %edx
  '41 ba 12 00 00 00', //               mov $0x12, %r10d
  '41 b8 04 00 00 00', //               mov $4, %r8d
  '45 31 c9', //                        xor %r9d, %r9d
  'b8 09 00 00 00', //                  mov $9, %eax               mmap
  '0f 05', //                           syscall
  '4c 39 e0', //                        cmp %r12, %rax
  '75 44', //                           jne die
  '49 8d 5c 24 10', //                  lea 16(%r12), %rbx
  '48 8b 03', //                  loop: mov (%rbx), %rax
  '48 8b 7b 08', //                     mov 8(%rbx), %rdi
  '48 8b 73 10', //                     mov 16(%rbx), %rsi
  '48 8b 53 18', //                     mov 24(%rbx), %rdx
  '4c 8b 53 20', //                     mov 32(%rbx), %r10
  '4c 8b 43 28', //                     mov 40(%rbx), %r8
  '4c 8b 4b 30', //                     mov 48(%rbx), %r9
  '0f 05', //                           syscall
  '49 89 04 24', //                     mov %rax, (%r12)
  '49 89 5c 24 08', //                  mov %rbx, 8(%r12)
  '48 85 c0', //                        test %rax, %rax
  '78 08', //                           js failed
  '74 0c', //                           jz zero
  '48 03 5b 48', //                     add 72(%rbx), %rbx
  'eb cd', //                           jmp loop
  '48 03 5b 38', //             failed: add 56(%rbx), %rbx
  'eb c7', //                           jmp loop
  '48 03 5b 40', //               zero: add 64(%rbx), %rbx
  'eb c1', //                           jmp loop
  'bf 7e 00 00 00', //             die: mov $126, %edi
  'b8 e7 00 00 00', //                  mov $231, %eax             exit_group
  '0f 05', //                           syscall
];

/** The same with `at` in x19 and `base` in x20; words are little-endian. */
const aarch64Code = [
  '34 00 c0 d2', //       mov x20, #0x100000000
  'e0 03 14 aa', //       mov x0, x20
  '01 80 a0 d2', //       mov x1, #0x4000000
  '62 00 80 d2', //       mov x2, #3
  '43 02 80 d2', //       mov x3, #0x12
  '84 00 80 d2', //       mov x4, #4
  '05 00 80 d2', //       mov x5, #0
  'c8 1b 80 d2', //       mov x8, #222               mmap
  '01 00 00 d4', //       svc #0
  '1f 00 14 eb', //       cmp x0, x20
  '41 02 00 54', //       b.ne die
  '93 42 00 91', //       add x19, x20, #16
  '68 02 40 f9', // loop: ldr x8, [x19]
  '60 86 40 a9', //       ldp x0, x1, [x19, #8]
  '62 8e 41 a9', //       ldp x2, x3, [x19, #24]
  '64 96 42 a9', //       ldp x4, x5, [x19, #40]
  '01 00 00 d4', //       svc #0
  '80 4e 00 a9', //       stp x0, x19, [x20]
  '1f 00 00 f1', //       cmp x0, #0
  '8b 00 00 54', //       b.lt failed
  'a0 00 00 54', //       b.eq zero
  '69 26 40 f9', //       ldr x9, [x19, #72]
  '04 00 00 14', //       b step
  '69 1e 40 f9', // failed: ldr x9, [x19, #56]
  '02 00 00 14', //       b step
  '69 22 40 f9', // zero: ldr x9, [x19, #64]
  '73 02 09 8b', // step: add x19, x19, x9
  'f1 ff ff 17', //       b loop
  'c0 0f 80 d2', //  die: mov x0, #126
  'c8 0b 80 d2', //       mov x8, #94                exit_group
  '01 00 00 d4', //       svc #0
];

const machines = {
  x86_64: { code: x86Code, elfMachine: 62 },
  aarch64: { code: aarch64Code, elfMachine: 183 },
} as const;

const headerBytes = 64;
const segmentBytes = 56;
const loadAddress = 0x40_0000;
/** The largest page that Linux has on these machines. */
const alignment = 0x1_0000;

/** The executable of a machine. */
export function launcherBytes(machine: Machine): Uint8Array {
  const { code: lines, elfMachine } = machines[machine];
  const code = Buffer.from(lines.join('').replaceAll(' ', ''), 'hex');
  const start = headerBytes + 2 * segmentBytes;
  const bytes = Buffer.alloc(start + code.length);
  // 64 bits, little-endian, version 1, System V.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(2, 16); // an executable
  bytes.writeUInt16LE(elfMachine, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(loadAddress + start), 24); // entry
  bytes.writeBigUInt64LE(BigInt(headerBytes), 32); // where the segments are described
  bytes.writeUInt16LE(headerBytes, 52);
  bytes.writeUInt16LE(segmentBytes, 54);
  bytes.writeUInt16LE(2, 56); // segments
  writeSegment(bytes, headerBytes, { type: 1, flags: 5, address: loadAddress, size: bytes.length });
  // `PT_GNU_STACK`: without it, what the machine maps could be executed.
  writeSegment(bytes, headerBytes + segmentBytes, { type: 0x6474_e551, flags: 6, address: 0, size: 0 });
  bytes.set(code, start);
  return bytes;
}

type Segment = {
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly size: number;
};

function writeSegment(bytes: Buffer, at: number, { type, flags, address, size }: Segment): void {
  bytes.writeUInt32LE(type, at);
  bytes.writeUInt32LE(flags, at + 4);
  for (const place of [16, 24]) bytes.writeBigUInt64LE(BigInt(address), at + place);
  for (const place of [32, 40]) bytes.writeBigUInt64LE(BigInt(size), at + place);
  bytes.writeBigUInt64LE(BigInt(alignment), at + 48);
}

/** Writes the launcher into a folder unless it is there, and gives its path. Others may do the same at the same time. */
export function installLauncher(folder: string): string {
  const bytes = launcherBytes(hostMachine());
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const path = join(folder, `launcher-${digest}`);
  if (existsSync(path)) return path;
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, bytes);
  chmodSync(temporary, 0o755);
  renameSync(temporary, path);
  return path;
}
