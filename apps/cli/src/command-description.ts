/**
 * What a command is for whoever reads about it: help at the terminal, manual pages, the reference of the documentation, and
 * completion in shells. Each command describes itself where it is defined; the build gathers the descriptions in one table
 * (`scripts/command-table.mjs`), so that completion starts without the commands.
 */
import type { CommandNotes } from './help/command-notes.ts';
import type { SettingDescription } from './help/setting-descriptions.ts';
import type { OptionSpec } from './parse-words.ts';
import type { ValueKind } from './value-kind.ts';

export type CommandDescription = {
  /** The last word of its name: `copy` of `neve store copy`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What comes after `neve`, one way to use it each. */
  readonly usage: readonly string[];
  /** Paragraphs with an empty line between them. */
  readonly description: string;
  readonly options: readonly OptionSpec[];
  /** What its arguments are; the last one may come again. Files, without it. */
  readonly arguments?: readonly ValueKind[];
  /** Whether settings are options too. */
  readonly takesSettings?: boolean;
  /** Its own commands. */
  readonly commands?: readonly CommandDescription[];
  /** Does nothing without one of them, and its options are those that they share. */
  readonly isGroup?: boolean;
  /** Examples and the like, which only manuals show. */
  readonly notes?: CommandNotes;
};

/** All of it, as JSON in `dist/commands.json`. */
export type CommandTable = {
  readonly version: string;
  /** The day of the build, as 2026-01-31. */
  readonly date: string;
  /** `neve` itself. */
  readonly root: CommandDescription;
  readonly settings: readonly SettingDescription[];
};
