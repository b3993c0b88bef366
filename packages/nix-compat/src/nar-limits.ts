/**
 * What the lengths in a NAR may be, as Nix 2.34.8 has it, and which names and targets exist at all. The lengths are
 * part of the format: they do not depend on the file system that an archive comes from or goes to.
 *
 * Nix lets directories lie 64 deep since then. Older ones had no such bound, so archives of theirs go deeper.
 */

/** Longest name of a directory entry, in bytes. */
export const maxNarNameLength = 255;

/** Longest target of a symbolic link, in bytes. */
export const maxNarTargetLength = 4095;

/** How deep an object may lie below the root, unless a reader is told otherwise. */
export const defaultNarDepth = 1000;

/** What is wrong with the name of a directory entry, if anything. */
export function narNameProblem(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'a directory entry has an empty name';
  if (name.length > maxNarNameLength) {
    return `a directory entry has a name of ${name.length} bytes, more than ${maxNarNameLength}`;
  }
  if (name.length <= 2 && name.every((byte) => byte === 0x2e)) {
    return `a directory entry has the name '${'.'.repeat(name.length)}'`;
  }
  if (name.includes(0x2f)) return 'a directory entry has a name with a slash';
  return name.includes(0) ? 'a directory entry has a name with a NUL' : undefined;
}

/** What is wrong with the target of a symbolic link, if anything. */
export function narTargetProblem(target: Uint8Array): string | undefined {
  if (target.length === 0) return 'a symbolic link has an empty target';
  if (target.length > maxNarTargetLength) {
    return `a symbolic link has a target of ${target.length} bytes, more than ${maxNarTargetLength}`;
  }
  return target.includes(0) ? 'a symbolic link has a target with a NUL' : undefined;
}
