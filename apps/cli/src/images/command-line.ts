/** The words of a command line, from the key of its result. */
import { type EvaluateOptionSpec, type OptionName, optionTable } from '../option-table.ts';

type KeyedCommand = {
  readonly command: string;
  readonly arguments: {
    readonly options: readonly { readonly option: OptionName; readonly values: readonly string[] }[];
    readonly words: readonly string[];
  };
};

/**
 * As it would be typed; of an image, the search path. What has another kind of key is shown as it is, cut after some length.
 */
export function commandLineOf(key: string): string {
  const parsed = parseKey(key);
  if (isImage(parsed)) {
    const { treeFile, evaluator } = parsed;
    return `evaluations of ${treeFile ?? 'nothing'} with ${searchPathText(evaluator.nixPath)}`;
  }
  if (!isCommand(parsed)) return key.length > 200 ? `${key.slice(0, 200)}…` : key;
  const table: Partial<Record<OptionName, EvaluateOptionSpec>> = optionTable;
  const options = parsed.arguments.options.flatMap(({ option, values }) => [
    table[option]?.names[0] ?? option,
    ...values,
  ]);
  return [parsed.command, ...options, ...parsed.arguments.words].map(quoted).join(' ');
}

export function parseKey(key: string): unknown {
  try {
    return JSON.parse(key) as unknown;
  } catch {
    return undefined;
  }
}

type KeyedImage = {
  readonly treeFile?: string;
  readonly evaluator: { readonly nixPath: readonly { readonly prefix: string; readonly path: string }[] };
};

function isImage(key: unknown): key is KeyedImage {
  return typeof key === 'object' && key !== null && 'image' in key;
}

function searchPathText(entries: KeyedImage['evaluator']['nixPath']): string {
  if (entries.length === 0) return 'an empty search path';
  return entries.map(({ prefix, path }) => `-I ${prefix === '' ? path : `${prefix}=${path}`}`).join(' ');
}

function isCommand(key: unknown): key is KeyedCommand {
  return typeof key === 'object' && key !== null && 'command' in key && 'arguments' in key;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./~^-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
