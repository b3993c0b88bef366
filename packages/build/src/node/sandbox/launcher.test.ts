/** The launcher on this machine, and that of aarch64 in `qemu-aarch64` where there is one. */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findProgram } from '../host.ts';
import { type Machine, hostMachine, launcherBytes } from './launcher.ts';
import { Label, SyscallProgram } from './syscall-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'neve-launcher-'));
afterAll(() => rmSync(folder, { recursive: true }));

const emulator = findProgram('qemu-aarch64') ?? findProgram('qemu-aarch64-static');
const machines: readonly (readonly [machine: Machine, emulator: string | undefined, isThere: boolean])[] = [
  ['x86_64', undefined, hostMachine() === 'x86_64'],
  [
    'aarch64',
    hostMachine() === 'aarch64' ? undefined : emulator,
    hostMachine() === 'aarch64' || emulator !== undefined,
  ],
];

for (const [machine, emulatedBy, isThere] of machines) {
  describe.runIf(isThere)(`${machine} (needs such a processor, or qemu-user)`, () => {
    const executable = join(folder, machine);
    writeFileSync(executable, launcherBytes(machine));
    chmodSync(executable, 0o755);

    /** Descriptor 1 is what the table writes to, 5 gets records. */
    function run(program: SyscallProgram): {
      readonly code: number | null;
      readonly out: string;
      readonly record: Buffer;
    } {
      const table = join(folder, `${machine}-table`);
      writeFileSync(table, program.encode());
      const file = openSync(table, 'r');
      const args = emulatedBy === undefined ? [] : [executable];
      const result = spawnSync(emulatedBy ?? executable, args, {
        stdio: ['ignore', 'pipe', 'inherit', 'ignore', file, 'pipe'],
        env: {},
      });
      closeSync(file);
      return {
        code: result.status,
        out: String(result.output[1]),
        record: Buffer.from(result.output[5] ?? []),
      };
    }

    test('makes calls in order', () => {
      const program = new SyscallProgram(machine);
      for (const text of ['one ', 'two ', 'three']) {
        program.call('write', [1, program.text(text), text.length], { purpose: 'print' });
      }
      program.call('exit_group', [7], { purpose: 'exit' });
      expect(run(program)).toMatchObject({ code: 7, out: 'one two three' });
    });

    test('goes where the result says', () => {
      const program = new SyscallProgram(machine);
      const [failed, zero, positive] = [new Label(), new Label(), new Label()];
      const print = (text: string): void => {
        program.call('write', [1, program.text(text), text.length], { purpose: 'print' });
      };
      program.call('close', [99], { purpose: 'fail', onError: failed, onZero: 'fail' });
      print('not here');
      program
        .place(zero)
        .call('write', [1, program.text('3'), 1], { purpose: 'print', onPositive: positive });
      print('not here');
      program.place(failed);
      print('1');
      program.call('umask', [0o22], { purpose: 'any', onPositive: 'next' });
      print('2');
      program.call('prctl', [38, 0, 0, 0, 0], { purpose: 'be refused', onError: 'next' });
      program.call('write', [1, 0, 0], { purpose: 'write nothing', onZero: zero });
      program.place(positive);
      program.call('exit_group', [0], { purpose: 'exit' });
      expect(run(program)).toMatchObject({ code: 0, out: '123' });
    });

    test('reports what fails, and ends', () => {
      const program = new SyscallProgram(machine);
      program.call('chdir', [program.text('/')], { purpose: 'enter the root' });
      program.call('chdir', [program.text('/no/such/folder')], { purpose: 'enter a folder' });
      program.call('exit_group', [0], { purpose: 'exit' });
      const { code, record } = run(program);
      expect(code).toBe(125);
      expect(record.length).toBe(16);
      expect(record.readBigInt64LE(0)).toBe(-2n);
      expect(program.explain(record.readBigInt64LE(0), record.readBigUInt64LE(8))).toEqual({
        purpose: 'enter a folder',
        errno: 'ENOENT',
      });
    });

    test('a program gets its name, arguments and environment as they are', () => {
      const program = new SyscallProgram(machine);
      const argv = program.words([
        program.text('other-name'),
        program.text('-c'),
        program.text('echo "$0"; env'),
        0,
      ]);
      const envp = program.words([program.text('A=b c'), program.text(Buffer.from('B=\xff', 'latin1')), 0]);
      program.call('execve', [program.text('/bin/sh'), argv, envp], { purpose: 'execute' });
      const { out } = run(program);
      expect(out.split('\n')[0]).toBe('other-name');
      expect(out).toContain('A=b c\n');
    });
  });
}

test('a table that is too large is refused', () => {
  const program = new SyscallProgram('x86_64');
  program.data(new Uint8Array(64 << 20));
  expect(() => program.encode()).toThrow(RangeError);
});
