/**
 * The address of a git repository as people write it, made a URL by the rules of Nix 2.34:
 *
 *     user@host:path     ssh://user@host/path
 *     /absolute/path     file:///absolute/path       no escapes are read in it
 *     relative/path      file:relative/path          relative to wherever the program runs; deprecated
 *     git+https://host   https://host
 *     host:path          refused: it may be either
 */
import { FetchError } from './fetch-error.ts';
import { type NixUrl, fileUrl, parseNixUrl, splitScheme } from './nix-url.ts';

/** Throws `FetchError` (`invalid-fetch`). */
export function parseGitUrl(text: string): NixUrl {
  const scp = text.startsWith('/') ? null : /^([^/]*)@(.*):(.*)$/.exec(text);
  if (scp !== null) return parseNixUrl(`ssh://${scp[1]}@${scp[2]}/${scp[3]}`);
  const isFileUrl = text.startsWith('file:') || text.startsWith('git+file:');
  if (!isFileUrl && !text.includes('://')) {
    if (!(text.split('/')[0] ?? '').includes(':')) return fileUrl(text);
    throw new FetchError(
      'invalid-fetch',
      `SCP-like URL '${text}' is not supported; use SSH URL syntax instead (ssh://...)`,
    );
  }
  const url = parseNixUrl(text);
  const { application, transport } = splitScheme(url.scheme);
  return application === 'git' ? { ...url, scheme: transport } : url;
}
