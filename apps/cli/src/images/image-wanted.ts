/**
 * Images are read when something is evaluated that they have: reading one takes longer than most evaluations that do not. Which
 * one that is, is known for sure when an evaluation comes to the first file of a package tree: if it was begun without an image, or
 * with another one, it ends, to be begun again with the right one; little has happened until then.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { treeSign } from '@neve/eval';
import type { CommandInput } from '../evaluate-command.ts';

/** The reason of an evaluation that has ended because it wants an image. */
export class ImageWanted extends Error {
  override readonly name = 'ImageWanted';
  /** The file of a package tree that it has come to. */
  readonly treeFile: string;

  constructor(treeFile: string) {
    super(`there is an image of what '${treeFile}' evaluates to`);
    this.treeFile = treeFile;
  }
}

/**
 * What of the words of a command line, or of the file that it names, tells that it will want one; undefined when nothing does. Where a
 * tree would be found (`-I`) belongs to it, and says nothing by itself.
 */
export function treeNamedBy({ args, caller }: Pick<CommandInput, 'args' | 'caller'>): string | undefined {
  const options = args.occurrences.filter(({ option }) => option !== 'include');
  const words = [...options.flatMap(({ values }) => values), ...args.positional].join(' ');
  const files = [...args.all('file'), ...args.positional].map((file) => resolve(caller.directory, file));
  const text = words.includes('nixpkgs') ? words : firstThatNames(files);
  return text && [text, ...args.all('include')].join(' ');
}

function firstThatNames(files: readonly string[]): string | undefined {
  for (const path of files) {
    if (existsSync(join(path, treeSign))) return path;
    const text = textThatNames(path) ?? textThatNames(join(path, 'default.nix'));
    if (text !== undefined) return text;
  }
  return undefined;
}

/** What is longer is hardly the beginning of a program. */
const maxBytes = 1 << 16;

/** The text of a program that says so in its first file. To begin again for that takes longer than reading it twice. */
function textThatNames(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() !== true || stats.size > maxBytes) return undefined;
    const text = readFileSync(path);
    return text.includes('nixpkgs') ? text.toString() : undefined;
  } catch {
    // Whoever reads it to evaluate it says what is wrong with it.
    return undefined;
  }
}

/** What is known of evaluations before. */
export type TreeFiles = {
  /** Files of package trees that there are images of; what was kept last comes first. */
  readonly files: readonly string[];
  /** Which one the last evaluation in the same directory has come to. */
  readonly last?: string | undefined;
};

/**
 * Which of the files an evaluation that names a tree in this text comes to first. It is a guess: a tree that is named is that one, a
 * system is not a package, and projects have their own nixpkgs.
 */
export function likelyTreeFile(text: string, { files, last }: TreeFiles): string | undefined {
  const wantsSystem = text.includes('nixos');
  const likelihood = (file: string): number => {
    const isOfSystem = file.includes('/nixos/');
    const tree = isOfSystem
      ? file.slice(0, file.lastIndexOf('/nixos/'))
      : file.slice(0, file.lastIndexOf('/'));
    return 4 * Number(text.includes(tree)) + 2 * Number(isOfSystem === wantsSystem) + Number(file === last);
  };
  return files.toSorted((left, right) => likelihood(right) - likelihood(left))[0];
}
