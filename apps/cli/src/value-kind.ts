/**
 * What a word on the command line stands for, as far as a shell can complete it: one of a few words, or something that is
 * looked up.
 */
export type ValueKind =
  /** A file, or a directory on the way to one. */
  | 'file'
  | 'directory'
  /** A path into the value that is evaluated: `hello`, `python3Packages.numpy`. */
  | 'attribute'
  /** The name of an argument of the function that is evaluated. */
  | 'formal'
  /** A store path: a path, or a name in the store directory. */
  | 'store-path'
  /** The name of a setting, and its value in the word after it. */
  | 'setting'
  | 'setting-value'
  /** A command, and a command of that. */
  | 'command'
  /** Nothing that could be guessed. */
  | 'text'
  | readonly string[];

/** The kinds of what options take, by the names of their parameters, where the table of options says nothing else. */
const kindsOfParameters: Readonly<Record<string, ValueKind>> = {
  FILE: 'file',
  PATH: 'store-path',
  DIR: 'directory',
  FOLDER: 'directory',
  STORE: 'directory',
  BOOL: ['true', 'false'],
  '[NAME=]PATH': 'file',
};

export function kindOfParameter(parameter: string): ValueKind {
  return kindsOfParameters[parameter] ?? 'text';
}
