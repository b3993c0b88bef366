// The reference of commands: what each says with `--help`, which is written from the tables that the command reads its
// arguments with. The `neve` bundle has to be built before.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Pages by their paths.
 *
 * @param {string} root of the repository
 * @returns {Promise<[string, string][]>}
 */
export async function commandPages(root) {
  const neve = join(root, 'apps/cli/dist/neve.cjs');
  if (!existsSync(neve)) throw new Error(`there is no ${neve}; run npm run build first`);
  const sections = await describe(neve, []);
  const text = `# Commands

What \`neve COMMAND --help\` says, of every command.

${sections.join('\n')}`;
  return [['reference/commands.md', text]];
}

/**
 * A command and those below it.
 *
 * @param {string} neve
 * @param {readonly string[]} words
 * @returns {Promise<string[]>}
 */
async function describe(neve, words) {
  const { stdout } = await run(process.execPath, [neve, ...words, '--help'], {
    env: { PATH: process.env['PATH'], NO_COLOR: '1', HOME: '/homeless', COLUMNS: '120' },
  });
  const title = ['neve', ...words].join(' ');
  const own = `## ${title}\n\n\`\`\`text\n${stdout.trimEnd()}\n\`\`\`\n`;
  const below = [];
  for (const name of commandsIn(stdout)) below.push(...(await describe(neve, [...words, name])));
  return [own, ...below];
}

/** The names in the list of commands that a help has. @param {string} help */
function commandsIn(help) {
  const list = /^Commands:\n((?:  .*\n)+)/m.exec(help)?.[1] ?? '';
  return [...list.matchAll(/^  ([a-z][a-z-]*)(?= {2,})/gm)].map(([, name]) => name ?? '');
}
