/** The help texts, made from the tables that the parser reads. */
import type { CommandDescription } from './command-description.ts';
import type { OptionSpec } from './parse-words.ts';
import { settingNames } from './settings.ts';

/** The help of a command. `path` are the words after `neve` by which it is called. */
export function helpText(command: CommandDescription): string {
  const usage = command.usage.map((line) => `neve ${line}`).join('\n       ');
  return [
    `Usage: ${usage}`,
    command.description,
    ...commandSection(command),
    ...optionSection(command),
    ...(command.takesSettings === true ? [settingSection()] : []),
    ...(command.isGroup === true
      ? [`'neve ${command.name} COMMAND --help' shows the options of a command.`]
      : []),
  ]
    .map((section) => `${section}\n`)
    .join('\n');
}

function commandSection({ commands = [] }: CommandDescription): readonly string[] {
  if (commands.length === 0) return [];
  return [`Commands:\n${columns(commands.map(({ name, summary }) => [name, summary]))}`];
}

function optionSection({ isGroup = false, options }: CommandDescription): readonly string[] {
  return [`${isGroup ? 'Options of all commands' : 'Options'}:\n${optionLines(options)}`];
}

function settingSection(): string {
  const names = settingNames().map((name) => `  ${name}`);
  return `Settings, as \`--option NAME VALUE\` or as options:\n${names.join('\n')}`;
}

/** One line for each option. */
function optionLines(options: readonly OptionSpec[]): string {
  return columns(options.map((option) => [optionTitle(option), option.help]));
}

/** `--name, -n PARAMETER`. */
export function optionTitle({ names, parameters, optionalValue }: OptionSpec): string {
  const value = optionalValue === undefined ? '' : `[=${optionalValue}]`;
  return [`${names.join(', ')}${value}`, ...parameters].join(' ');
}

/** Lines of two columns. */
export function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}
