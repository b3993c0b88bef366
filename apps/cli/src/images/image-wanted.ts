/**
 * Images are read when something is evaluated that they have: reading one takes longer than most evaluations that do not. Which
 * those are is not known before. So an evaluation begins without, and ends when it comes to the first file of a package tree, to be
 * begun again with the image; little has happened until then.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { treeSign } from '@neve/eval';
import type { CommandInput } from '../evaluate-command.ts';

/** The reason of an evaluation that has ended because it wants an image. */
export class ImageWanted extends Error {
  override readonly name = 'ImageWanted';
}

/** Ends an evaluation. */
export function wantImage(): never {
  throw new ImageWanted('there is something that an image may have');
}

/** Whether the words of a command line, or the file that it names, tell that it will want one. */
export function isTreeNamed({ args, caller }: Pick<CommandInput, 'args' | 'caller'>): boolean {
  const words = [...args.occurrences.flatMap(({ values }) => values), ...args.positional];
  if (words.some((word) => word.includes('nixpkgs'))) return true;
  return [...args.all('file'), ...args.positional].some((file) => {
    const path = resolve(caller.directory, file);
    return existsSync(join(path, treeSign)) || namesTree(path) || namesTree(join(path, 'default.nix'));
  });
}

/** What is longer is hardly the beginning of a program. */
const maxBytes = 1 << 16;

/** Whether a program says so in its first file. To begin again for that takes longer than reading it twice. */
function namesTree(path: string): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() === true && stats.size <= maxBytes && readFileSync(path).includes('nixpkgs');
  } catch {
    // Whoever reads it to evaluate it says what is wrong with it.
    return false;
  }
}
