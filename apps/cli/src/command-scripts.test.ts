import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readCodeCache } from './code-cache.ts';
import { CommandScripts, codeCachePath } from './command-scripts.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-scripts-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function writeScripts(scripts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folder, name), text);
}

const greeting = {
  'main.cjs': `const {name}=require("./name.cjs");module.exports={greet:()=>"hello "+name+require("node:path").sep};`,
  'name.cjs': `module.exports={name:"world"};`,
};

type Greeting = { greet(): string };

describe('the scripts', () => {
  test('require each other and what Node has', () => {
    writeScripts(greeting);
    const scripts = new CommandScripts(folder, undefined);
    expect((scripts.load('main.cjs') as Greeting).greet()).toBe('hello world/');
  });

  test('run once', () => {
    writeScripts({ 'main.cjs': 'module.exports={};' });
    const scripts = new CommandScripts(folder, undefined);
    expect(scripts.load('main.cjs')).toBe(scripts.load('main.cjs'));
  });

  test('know where they are', () => {
    writeScripts({ 'main.cjs': 'module.exports=[__filename,__dirname,require.resolve("./main.cjs")];' });
    const path = join(folder, 'main.cjs');
    expect(new CommandScripts(folder, undefined).load('main.cjs')).toEqual([path, folder, path]);
  });
});

describe('their compiled code', () => {
  const run = (): string => {
    const scripts = new CommandScripts(folder, join(folder, 'cache/command'));
    const greeted = (scripts.load('main.cjs') as Greeting).greet();
    scripts.saveCode();
    return greeted;
  };

  test('is written by the first run and left alone by the next', () => {
    writeScripts(greeting);
    const path = join(folder, 'cache/command');
    run();
    expect([...(readCodeCache(path)?.keys() ?? [])]).toEqual(['main.cjs', 'name.cjs']);
    const { ino } = statSync(path);
    expect(run()).toBe('hello world/');
    expect(statSync(path).ino).toBe(ino);
  });

  test('is made again when V8 refuses it', () => {
    writeScripts(greeting);
    const path = join(folder, 'cache/command');
    run();
    const refused = readFileSync(path);
    // V8 looks at the length of the source, too.
    writeScripts({ 'name.cjs': `module.exports={name:"everybody"};` });
    expect(run()).toBe('hello everybody/');
    const { ino } = statSync(path);
    expect(readFileSync(path).equals(refused)).toBe(false);
    expect(run()).toBe('hello everybody/');
    expect(statSync(path).ino).toBe(ino);
  });

  test('of a script that was not needed before is added', () => {
    const main = `module.exports={greet:()=>require(process.env.NEVE_TEST_SCRIPT)};`;
    writeScripts({ 'main.cjs': main, 'a.cjs': 'module.exports="a";', 'b.cjs': 'module.exports="b";' });
    const kept: string[][] = [];
    for (const name of ['a', 'b', 'a']) {
      vi.stubEnv('NEVE_TEST_SCRIPT', `./${name}.cjs`);
      expect(run()).toBe(name);
      kept.push([...(readCodeCache(join(folder, 'cache/command'))?.keys() ?? [])]);
    }
    expect(kept).toEqual([
      ['main.cjs', 'a.cjs'],
      ['main.cjs', 'a.cjs', 'b.cjs'],
      ['main.cjs', 'a.cjs', 'b.cjs'],
    ]);
  });

  test('is not kept where nothing can be written', () => {
    writeScripts(greeting);
    writeFileSync(join(folder, 'cache'), 'a file');
    expect(run()).toBe('hello world/');
  });
});

describe('the place of compiled code', () => {
  test('is in the cache directory, and differs by build and version of Node', () => {
    vi.stubEnv('XDG_CACHE_HOME', '/cache');
    vi.stubEnv('NODE_DISABLE_COMPILE_CACHE', undefined);
    const versions = `${process.version}-${process.arch}`;
    expect(codeCachePath('b1', 'eval')).toBe(`/cache/neve/code/b1-${versions}/eval`);
  });

  test('is nowhere when it is not wanted, or there is no home', () => {
    vi.stubEnv('NODE_DISABLE_COMPILE_CACHE', undefined);
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    vi.stubEnv('HOME', join(folder, 'missing'));
    expect(codeCachePath('b1', 'eval')).toBeUndefined();
    expect(existsSync(join(folder, 'missing'))).toBe(false);
    vi.stubEnv('HOME', folder);
    expect(codeCachePath('b1', 'eval')).toContain(`${folder}/.cache/`);
    vi.stubEnv('NODE_DISABLE_COMPILE_CACHE', '1');
    expect(codeCachePath('b1', 'eval')).toBeUndefined();
  });
});
