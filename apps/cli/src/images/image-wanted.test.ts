import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseArguments } from '../parse-arguments.ts';
import { Settings } from '../settings.ts';
import { RecordedCaller } from './recorded-caller.ts';
import { ProcessCaller } from '../caller.ts';
import { likelyTreeFile, treeNamedBy } from './image-wanted.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-image-wanted-'));
  writeFileSync(join(folder, 'hello.nix'), '(import <nixpkgs> { }).hello');
  writeFileSync(join(folder, 'one.nix'), '1');
  writeFileSync(join(folder, 'table.nix'), `"nixpkgs ${'x'.repeat(1 << 16)}"`);
  mkdirSync(join(folder, 'project'));
  writeFileSync(join(folder, 'project/default.nix'), 'import ./nixpkgs.nix');
  mkdirSync(join(folder, 'tree/pkgs/top-level'), { recursive: true });
  writeFileSync(join(folder, 'tree/pkgs/top-level/default.nix'), '{ }');
  mkdirSync(join(folder, 'empty'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

class CallerIn extends RecordedCaller {
  override get directory(): string {
    return folder;
  }
}

test.each([
  ['--expr 1', false],
  ['--expr <nixpkgs>', true],
  ['-I nixpkgs=/x --expr 1', false],
  ['-I nixpkgs=/x -f hello.nix', true],
  ['-f hello.nix', true],
  ['-f one.nix hello', false],
  ['-f table.nix', false],
  ['-f project', true],
  ['-f tree', true],
  ['-f empty', false],
  ['-f absent', false],
  ['-f one.nix/below', false],
])('%s', (line, isNamed) => {
  const args = parseArguments(line.split(' '), { command: 'eval', settings: new Settings() });
  expect(treeNamedBy({ args, caller: new CallerIn(new ProcessCaller()) }) !== undefined).toBe(isNamed);
});

const files = ['/old/default.nix', '/new/nixos/default.nix', '/new/default.nix'];

test.each([
  ['(import <nixpkgs> { }).hello', '/old/default.nix'],
  ['(import <nixpkgs/nixos> { }).system', '/new/nixos/default.nix'],
  ['-I nixpkgs=/new --expr 1', '/new/default.nix'],
  ['-I nixpkgs=/new -I nixos-config=x --expr 1', '/new/nixos/default.nix'],
  ['/old', '/old/default.nix'],
])('%s wants what is in %s', (text, file) => {
  expect(likelyTreeFile(text, { files })).toBe(file);
});

test('where no image is, none is likely', () => {
  expect(likelyTreeFile('<nixpkgs>', { files: [] })).toBeUndefined();
});

test('where a tree is not named, it is the one of the last evaluation in the directory', () => {
  const wanted = (text: string, last: string): string | undefined => likelyTreeFile(text, { files, last });
  expect(wanted('import ./nixpkgs.nix', '/new/default.nix')).toBe('/new/default.nix');
  expect(wanted('<nixpkgs/nixos>', '/new/default.nix')).toBe('/new/nixos/default.nix');
  expect(wanted('import /old', '/new/default.nix')).toBe('/old/default.nix');
});
