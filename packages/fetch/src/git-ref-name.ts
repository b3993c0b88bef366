/**
 * Which names git allows for branches and tags: the rules of git-check-ref-format(1), of which at least one has to hold for
 * the name alone, below `refs/heads/` or below `refs/tags/`, as libgit2 has it.
 */

/** Whether a branch, a tag or a whole reference may have this name. */
export function isLegalRefName(name: string): boolean {
  if (name === '@' || !hasLegalParts(name)) return false;
  // Below `refs/heads/` no name begins with a dash, and a name of one part is whole only in capitals.
  return !name.startsWith('-') || name.includes('/');
}

function hasLegalParts(name: string): boolean {
  // oxlint-disable-next-line eslint/no-control-regex -- these are what is forbidden
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{/.test(name) || name.endsWith('.')) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
