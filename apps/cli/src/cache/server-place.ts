/**
 * The server of caches that a command administers: a folder of this machine, or with `--server` one behind HTTP, which wants a
 * token with the scope `configure`.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CacheAdministration } from '@neve/nar-bridge';
import { ServerFolder, localAdministration } from '@neve/nar-bridge/node';
import type { Arguments, OptionSpec } from '../parse-words.ts';
import { UsageError } from '../usage-error.ts';
import { isHttpUrl } from './known-caches.ts';
import { openRemoteAdministration } from './remote-administration.ts';

export const folderOption = {
  folder: {
    names: ['--folder'],
    parameters: ['DIR'],
    help: 'the folder of the server (default: neve/caches in the XDG data directory)',
  },
} as const satisfies Record<string, OptionSpec>;

export const serverOptions = {
  ...folderOption,
  server: {
    names: ['--server'],
    parameters: ['URL'],
    help: 'a server elsewhere, with a token that has the scope configure',
  },
} as const satisfies Record<string, OptionSpec>;

export type ServerArguments = Pick<Arguments<'folder' | 'server'>, 'last'>;

export type OpenAdministration = CacheAdministration & AsyncDisposable;

/** Throws `UsageError`, and `NarBridgeError` (`not-found`) when there is no server and none is to be made. */
export async function openAdministration(
  args: ServerArguments,
  { create }: { readonly create: boolean },
): Promise<OpenAdministration> {
  const server = args.last('server');
  if (server === undefined) {
    const folder = await ServerFolder.open(serverFolderPath(args), { create });
    return Object.assign(localAdministration(folder), {
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    });
  }
  if (args.last('folder') !== undefined) throw new UsageError('--folder and --server exclude each other');
  if (!isHttpUrl(server)) throw new UsageError(`'${server}' is no http or https URL`);
  return openRemoteAdministration(server);
}

export function serverFolderPath(args: Pick<Arguments<'folder'>, 'last'>): string {
  const given = args.last('folder');
  if (given !== undefined) return resolve(given);
  const { XDG_DATA_HOME: data = '' } = process.env;
  return join(data === '' ? join(homedir(), '.local/share') : data, 'neve/caches');
}

/** The one argument of a command. Throws `UsageError`. */
export function onlyArgument(positional: readonly string[], what: string): string {
  const [only, more] = positional;
  if (only === undefined) throw new UsageError(`${what} is missing`);
  if (more !== undefined) throw new UsageError(`there is one argument too many: '${more}'`);
  return only;
}
