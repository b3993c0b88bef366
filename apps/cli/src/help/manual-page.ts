/**
 * Manual pages in the macros of man(7), which groff, mandoc and their kin read: one for each command, `neve-store-copy(1)`,
 * and `neve-settings(5)`.
 */
import type { CommandDescription, CommandTable } from '../command-description.ts';
import { optionTitle } from '../help.ts';
import { type CommandNotes, type Note, generalNotes } from './command-notes.ts';
import { type NamedCommand, allCommands, commandNamed } from './named-command.ts';
import type { SettingDescription } from './setting-descriptions.ts';

export type ManualPage = {
  /** `neve-build.1` */
  readonly file: string;
  readonly text: string;
};

export function manualPages(table: CommandTable): readonly ManualPage[] {
  const pages = allCommands(table).map((command) => ({
    file: `${pageName(command.path)}.1`,
    text: commandPage(command, table),
  }));
  return [...pages, { file: 'neve-settings.5', text: settingsPage(table) }];
}

/** The page of a command by the words after `neve`; `undefined` when there is none. */
export function manualPage(path: readonly string[], table: CommandTable): string | undefined {
  const command = commandNamed(path, table);
  return command === undefined ? undefined : commandPage(command, table);
}

function commandPage({ path, command }: NamedCommand, table: CommandTable): string {
  const { notes = {} } = command;
  return page({
    name: pageName(path),
    section: 1,
    table,
    summary: command.summary,
    sections: [
      ['SYNOPSIS', synopsis(command)],
      ['DESCRIPTION', paragraphs(command.description)],
      ['COMMANDS', commandList(path, command)],
      ['OPTIONS', command.options.map((it) => tagged(optionTitle(it), it.help)).join('')],
      ['SETTINGS', command.takesSettings === true ? settingsHint : ''],
      ['EXAMPLES', (notes.examples ?? []).map(example).join('.PP\n')],
      ['EXIT STATUS', noteList(notes.exitCodes ?? generalNotes.exitCodes)],
      ['ENVIRONMENT', noteList([...(notes.environment ?? []), ...(generalNotes.environment ?? [])])],
      ['FILES', noteList(notes.files)],
      ['SEE ALSO', seeAlso({ path, command })],
    ],
  });
}

const settingsHint = `Settings are options too: \\fB\\-\\-option\\fR \\fINAME VALUE\\fR, \\fB\\-\\-\\fINAME VALUE\\fR, \\fB\\-\\-\\fINAME\\fR and
\\fB\\-\\-no\\-\\fINAME\\fR for a switch, \\fB\\-\\-extra\\-\\fINAME VALUE\\fR to append to a list. See
.BR neve\\-settings (5).
`;

function settingsPage(table: CommandTable): string {
  return page({
    name: 'neve-settings',
    section: 5,
    table,
    summary: 'settings of neve',
    sections: [
      [
        'DESCRIPTION',
        paragraphs(`Settings come from nix.conf of the machine and of the user, one NAME = VALUE a line, from the variable NIX_CONFIG, and
from options of the commands. The later ones win. extra-NAME appends to a list. What is not listed here is ignored.`),
      ],
      ['SETTINGS', table.settings.map(settingEntry).join('')],
      ['SEE ALSO', '.BR neve (1)\n'],
    ],
  });
}

function settingEntry({ name, kind, default: value, description }: SettingDescription): string {
  const title = value === '' ? `${name} (${kind})` : `${name} (${kind}, ${value})`;
  return tagged(title, description);
}

type Page = {
  readonly name: string;
  readonly section: number;
  readonly table: CommandTable;
  readonly summary: string;
  readonly sections: readonly (readonly [title: string, text: string])[];
};

/** Sections without a text are left out. */
function page({ name, section, table: { version, date }, summary, sections }: Page): string {
  const heading = `.TH ${name.toUpperCase()} ${section} "${date}" "neve ${version}" "Neve"\n`;
  const body = sections.filter(([, text]) => text !== '').map(([title, text]) => `.SH ${title}\n${text}`);
  return `${heading}.SH NAME\n${escape(name)} \\- ${escape(summary)}\n${body.join('')}`;
}

function synopsis({ usage }: CommandDescription): string {
  return usage.map((line, index) => `${index === 0 ? '' : '.br\n'}\\fBneve\\fR ${escape(line)}\n`).join('');
}

function commandList(path: readonly string[], { commands = [] }: CommandDescription): string {
  return commands.map(({ name, summary }) => tagged(pageTitle([...path, name]), summary)).join('');
}

function pageTitle(path: readonly string[]): string {
  return `${pageName(path)}(1)`;
}

function seeAlso({ path, command }: NamedCommand): string {
  const parent = path.length > 0 ? [path.slice(0, -1)] : [];
  const children = (command.commands ?? []).map(({ name }) => [...path, name]);
  const names = [...parent, ...children].map((it) => `.BR ${escape(pageName(it))} (1)`);
  const settings = command.takesSettings === true ? ['.BR neve\\-settings (5)'] : [];
  return `${[...names, ...settings].join(',\n')}\n`;
}

function noteList(notes: readonly Note[] = []): string {
  return notes.map(({ name, text }) => tagged(name, text)).join('');
}

function tagged(title: string, text: string): string {
  return `.TP\n\\fB${escape(title)}\\fR\n${line(text)}\n`;
}

function example({ text, command }: NonNullable<CommandNotes['examples']>[number]): string {
  return `${line(text)}:\n.PP\n.in +4n\n.nf\n${line(command)}\n.fi\n.in\n`;
}

function paragraphs(text: string): string {
  return text
    .split('\n\n')
    .map((paragraph, index) => `${index === 0 ? '' : '.PP\n'}${paragraph.split('\n').map(line).join('\n')}\n`)
    .join('');
}

/** A line of text is no request, whatever it begins with. */
function line(text: string): string {
  return escape(text).replace(/^(?=[.'])/, '\\&');
}

/** Backslashes begin escapes; hyphens are minus signs, so that options can be copied. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('…', '...')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti');
}

function pageName(path: readonly string[]): string {
  return ['neve', ...path].join('-');
}
