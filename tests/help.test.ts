/** The help of every command, asked of the bundled command as people do. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../apps/cli/dist');
const bundle = join(dist, 'neve.cjs');

type Described = { readonly name: string; readonly commands?: readonly Described[] };

beforeAll(() => {
  if (!existsSync(bundle)) throw new Error(`there is no ${bundle}; run npm run build`);
});

function neve(...words: readonly string[]): string {
  return execFileSync(process.execPath, [bundle, ...words], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
}

test('the list of commands, however it is asked for', () => {
  const text = neve('help');
  expect(text).toMatch(/^Usage: neve COMMAND/);
  expect(neve('--help')).toBe(text);
  expect(text).toMatch(/^ {2}build {2,}\S/m);
});

describe('of each command', () => {
  const { root } = JSON.parse(readFileSync(join(dist, 'commands.json'), 'utf8')) as {
    readonly root: Described;
  };
  test.each(pathsOf(root).map((path) => [path.join(' '), path] as const))('%s', (title, path) => {
    const text = neve('help', ...path);
    expect(text).toContain(`neve ${title}`);
    expect(neve(...path, '--help')).toBe(text);
  });
});

/** Of all commands within one, and within those. */
function pathsOf({ commands = [] }: Described): readonly (readonly string[])[] {
  return commands.flatMap((it) => [[it.name], ...pathsOf(it).map((path) => [it.name, ...path])]);
}
