/**
 * Images are read when something is evaluated that they have: reading one takes longer than most evaluations that do not. Which
 * those are is not known before. So an evaluation begins without, and ends when it comes to the first file of a package tree, to be
 * begun again with the image; little has happened until then.
 */
import { existsSync } from 'node:fs';
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

/** Whether the words of a command line tell that it will want one. */
export function isTreeNamed({ args, caller }: Pick<CommandInput, 'args' | 'caller'>): boolean {
  const words = [...args.occurrences.flatMap(({ values }) => values), ...args.positional];
  if (words.some((word) => word.includes('nixpkgs'))) return true;
  const files = [...args.all('file'), ...args.positional];
  return files.some((file) => existsSync(join(resolve(caller.directory, file), treeSign)));
}
