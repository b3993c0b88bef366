/**
 * The filter, run by a small machine for BPF as `Documentation/networking/filter.rst` of the kernel describes it. Numbers of
 * calls are those of the kernel's tables, written down here by themselves.
 */
import { expect, test } from 'vitest';
import type { Machine } from './launcher.ts';
import { seccompFilter } from './seccomp-filter.ts';

const [allow, eperm, enosys, enotsup] = [0x7fff_0000, 0x5_0001, 0x5_0026, 0x5_005f];
const architecture = {
  x86_64: 0xc000_003e,
  i386: 0x4000_0003,
  aarch64: 0xc000_00b7,
  arm: 0x4000_0028,
  riscv64: 0xc000_00f3,
};

function answer(
  machine: Machine,
  arch: keyof typeof architecture,
  number: number,
  args: readonly number[] = [],
): number {
  const { bytes, length } = seccompFilter(machine);
  const view = new DataView(bytes.buffer);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, architecture[arch], true);
  for (const [i, arg] of args.entries()) data.setBigUint64(16 + i * 8, BigInt(arg), true);
  expect(bytes.length).toBe(length * 8);
  let loaded = 0;
  for (let at = 0; at < length; at++) {
    const [operation, operand] = [view.getUint16(at * 8, true), view.getUint32(at * 8 + 4, true)];
    const jump = (isTrue: boolean): void => void (at += view.getUint8(at * 8 + (isTrue ? 2 : 3)));
    if (operation === 0x20) loaded = data.getUint32(operand, true);
    else if (operation === 0x15) jump(loaded === operand);
    else if (operation === 0x35) jump(loaded >= operand);
    else if (operation === 0x45) jump((loaded & operand) !== 0);
    else if (operation === 0x06) return operand;
    else throw new Error(`operation ${operation} is not one that a filter may have`);
  }
  throw new Error('the filter ends without an answer');
}

test.each([
  // chmod, fchmod, fchmodat, fchmodat2: where the mode is differs.
  ['x86_64', 'x86_64', 90, [0, 0o4755], eperm],
  ['x86_64', 'x86_64', 90, [0, 0o2755], eperm],
  ['x86_64', 'x86_64', 90, [0o4755, 0o1777], allow],
  ['x86_64', 'x86_64', 91, [3, 0o6000], eperm],
  ['x86_64', 'x86_64', 268, [0, 0o4755, 0o755], allow],
  ['x86_64', 'x86_64', 268, [0, 0, 0o4755], eperm],
  ['x86_64', 'x86_64', 452, [0, 0, 0o4755], eperm],
  ['x86_64', 'i386', 15, [0, 0o4755], eperm],
  ['x86_64', 'i386', 94, [0, 0o2755], eperm],
  ['x86_64', 'i386', 306, [0, 0, 0o4000], eperm],
  ['aarch64', 'aarch64', 52, [0, 0o4755], eperm],
  ['aarch64', 'aarch64', 53, [0, 0, 0o4755], eperm],
  ['aarch64', 'aarch64', 53, [0, 0o4755, 0o644], allow],
  ['aarch64', 'arm', 15, [0, 0o4755], eperm],
  ['aarch64', 'arm', 333, [0, 0, 0o2755], eperm],
  // The numbers of one architecture mean something else in another: 90 is `mmap` for i386, 15 `rt_sigreturn` for x86_64.
  ['x86_64', 'i386', 90, [0, 0o4755], allow],
  ['x86_64', 'x86_64', 15, [0, 0o4755], allow],
  // Architectures that the machine has not, and x32.
  ['x86_64', 'aarch64', 0, [], enosys],
  ['x86_64', 'riscv64', 0, [], enosys],
  ['aarch64', 'x86_64', 0, [], enosys],
  ['x86_64', 'x86_64', 0x4000_0027, [], enosys],
  // Programs need these: read, mmap, execve, clone.
  ['x86_64', 'x86_64', 0, [], allow],
  ['x86_64', 'x86_64', 9, [], allow],
  ['x86_64', 'x86_64', 59, [], allow],
  ['aarch64', 'aarch64', 220, [], allow],
] as const)('%s: %s call %i %j', (machine, arch, number, args, expected) => {
  expect(answer(machine, arch, number, args)).toBe(expected);
});

test.each([
  ['x86_64', 'x86_64', 188, 199],
  ['x86_64', 'i386', 226, 237],
  ['aarch64', 'aarch64', 5, 16],
  ['aarch64', 'arm', 226, 237],
] as const)('%s: extended attributes of %s', (machine, arch, first, last) => {
  for (const number of [
    ...Array.from({ length: last - first + 1 }, (_, i) => first + i),
    463,
    464,
    465,
    466,
  ]) {
    expect(answer(machine, arch, number)).toBe(enotsup);
  }
  for (const number of [first - 1, last + 1, 462, 467]) expect(answer(machine, arch, number)).toBe(allow);
});
