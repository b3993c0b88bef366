/** The reference of commands and settings for the documentation: Markdown pages by their paths. */
import type { CommandDescription, CommandTable } from '../command-description.ts';
import { optionTitle } from '../help.ts';
import { type CommandNotes, type Note, generalNotes } from './command-notes.ts';
import { type NamedCommand, allCommands, commandNamed } from './named-command.ts';

/**
 * `commands/index.md` lists the commands; each has a page, `commands/build.md`, `commands/store-copy.md`; settings are in
 * `settings.md`. Links between them are relative.
 */
export function referencePages(table: CommandTable): Readonly<Record<string, string>> {
  const pages = allCommands(table).map((it) => [`commands/${fileOf(it.path)}`, commandPage(it)] as const);
  return Object.fromEntries([...pages, ['settings.md', settingsPage(table)] as const]);
}

/** The page of a command by the words after `neve`; `undefined` when there is none. */
export function referencePage(path: readonly string[], table: CommandTable): string | undefined {
  const command = commandNamed(path, table);
  return command === undefined ? undefined : commandPage(command);
}

function commandPage({ path, command }: NamedCommand): string {
  const { notes = {} } = command;
  const usage = command.usage.map((it) => `neve ${it}`).join('\n');
  return [
    `# ${['neve', ...path].join(' ')}`,
    sentence(command.summary),
    code(usage),
    ...command.description.split('\n\n').map((it) => escape(it.replaceAll('\n', ' '))),
    ...section('Commands', commandList(path, command)),
    ...section('Examples', examples(notes)),
    ...section('Options', [
      ...table(
        ['option', 'meaning'],
        command.options.map((it) => [optionTitle(it), it.help]),
      ),
      ...(command.takesSettings === true
        ? [
            '[Settings](../settings.md) are options too: `--option NAME VALUE`, `--NAME VALUE`, `--NAME` and `--no-NAME` for a switch, `--extra-NAME VALUE` to append to a list.',
          ]
        : []),
    ]),
    ...section('Exit codes', noteTable('exit code', notes.exitCodes ?? generalNotes.exitCodes)),
    ...section(
      'Environment',
      noteTable('variable', [...(notes.environment ?? []), ...(generalNotes.environment ?? [])]),
    ),
    ...section('Files', noteTable('file', notes.files)),
  ]
    .map((block) => `${block}\n`)
    .join('\n');
}

function settingsPage({ settings }: CommandTable): string {
  const blocks = settings.flatMap(({ name, kind, default: value, description }) => [
    `## ${name}`,
    `${kind}${value === '' ? '' : `, by default \`${value}\``}`,
    escape(description),
  ]);
  return [
    '# Settings',
    'Settings come from `nix.conf` of the machine and of the user, one `NAME = VALUE` a line, from the variable `NIX_CONFIG`, and from options of the [commands](commands/index.md). The later ones win. `extra-NAME` appends to a list.',
    ...blocks,
  ]
    .map((block) => `${block}\n`)
    .join('\n');
}

function commandList(path: readonly string[], { commands = [] }: CommandDescription): readonly string[] {
  const rows = commands.map(({ name, summary }) => {
    const words = [...path, name];
    return `| [\`${words.join(' ')}\`](${fileOf(words)}) | ${cell(summary)} |`;
  });
  return rows.length === 0 ? [] : [['| command | what it does |', '|---|---|', ...rows].join('\n')];
}

function examples({ examples: all = [] }: CommandNotes): readonly string[] {
  return all.flatMap(({ text, command }) => [`${escape(text)}:`, code(command)]);
}

function noteTable(title: string, notes: readonly Note[] = []): readonly string[] {
  return table(
    [title, 'meaning'],
    notes.map(({ name, text }) => [name, text]),
  );
}

/** The left column is code. */
function table(
  [left, right]: readonly [left: string, right: string],
  rows: readonly (readonly [left: string, right: string])[],
): readonly string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(([name, text]) => `| \`${name.replaceAll('|', '\\|')}\` | ${cell(text)} |`);
  return [[`| ${left} | ${right} |`, '|---|---|', ...lines].join('\n')];
}

function section(title: string, blocks: readonly string[]): readonly string[] {
  return blocks.length === 0 ? [] : [`## ${title}`, ...blocks];
}

function code(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\``;
}

function sentence(text: string): string {
  return `${escape(text.charAt(0).toUpperCase() + text.slice(1))}.`;
}

function cell(text: string): string {
  return escape(text).replaceAll('|', '\\|');
}

/** What Markdown, or the HTML in it, would take for its own. */
function escape(text: string): string {
  return text.replace(/[\\`*_[\]<>{}]/g, (character) =>
    character === '<'
      ? '&lt;'
      : character === '{'
        ? '&#123;'
        : character === '}'
          ? '&#125;'
          : `\\${character}`,
  );
}

function fileOf(path: readonly string[]): string {
  return path.length === 0 ? 'index.md' : `${path.join('-')}.md`;
}
