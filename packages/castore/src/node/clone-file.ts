/**
 * Copies of files that share their bytes where the file system can do that (a reflink on Btrfs, XFS, bcachefs, ZFS), and
 * are real copies otherwise.
 */
import { constants } from 'node:fs';
import { chmod, copyFile, utimes } from 'node:fs/promises';

export type CloneOptions = { readonly mode: number; readonly mtimeSeconds: number };

/** The target must not exist. */
export async function cloneFile(
  source: string | Buffer,
  target: string | Buffer,
  options: CloneOptions,
): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(target, options.mode);
  await utimes(target, options.mtimeSeconds, options.mtimeSeconds);
}
