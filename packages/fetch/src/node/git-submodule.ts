/**
 * Submodules as `.gitmodules` describes them, and where their repositories are:
 *
 *     [submodule "name"]
 *             path = libs/x
 *             url = ../x.git          relative to where the superproject came from
 *             branch = main           or `.`, the branch of the superproject
 */
import { FetchError } from '../fetch-error.ts';

export type GitSubmodule = {
  readonly path: string;
  readonly url: string;
  readonly branch: string | undefined;
};

/** `listing` is what `git config -z --list` says: for each setting the name, a newline, the value and NUL. */
export function parseSubmodules(listing: Buffer): readonly GitSubmodule[] {
  const byName = new Map<string, { path?: string; url?: string; branch?: string }>();
  for (const setting of listing.toString().split('\0')) {
    const [, name, field, value] = /^submodule\.([^]*)\.(path|url|branch)\n([^]*)$/.exec(setting) ?? [];
    if (name === undefined || field === undefined) continue;
    byName.set(name, { ...byName.get(name), [field]: value });
  }
  return [...byName.values()].flatMap(({ path, url = '', branch }) =>
    path === undefined ? [] : [{ path: checkPath(path), url, branch: branch === '' ? undefined : branch }],
  );
}

/** `base` is the URL or path that the superproject came from. */
export function resolveSubmoduleUrl(url: string, base: string): string {
  if (!/^\.\.?(\/|$)/.test(url)) return url;
  // What is before the path stays: `scheme://host`, or `user@host:`.
  const [, start = '', path = ''] = /^([a-z0-9+.-]+:\/\/[^/]*|[^/]*@[^/:]*:)?([^]*)$/i.exec(base) ?? [];
  const parts = path.replace(/\/+$/, '').split('/');
  for (const part of url.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return `${start}${parts.join('/')}`;
}

/** It comes from a tree that may be a stranger's. */
function checkPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length > 0 && !parts.includes('..')) return parts.join('/');
  throw new FetchError(
    'corrupt',
    `'.gitmodules' names the path '${path}' for a submodule, which is not below its repository`,
  );
}
