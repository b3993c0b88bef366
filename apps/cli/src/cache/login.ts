/** `neve cache login`: remembers a cache, and the token for it. */
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { write } from '../output.ts';
import { httpSettings } from '../store/http-settings.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import {
  type KnownCache,
  isHttpUrl,
  knownCachesFile,
  readKnownCaches,
  withoutSlash,
  writeKnownCaches,
} from './known-caches.ts';
import { RemoteCache } from './remote-cache.ts';
import { readToken } from './token.ts';

export const loginCommand = cacheCommand({
  name: 'login',
  summary: 'remember a cache and the token for it',
  usage: ['login [OPTIONS] NAME URL', 'login --logout NAME'],
  arguments: ['text'],
  description: `Asks the cache for its public keys, which are trusted from then on, and writes both with the token into
neve/caches.json of the XDG configuration, which only you can read. The token is read from the file that --token-file names; - is
standard input.

With --netrc the token is put into a netrc file, too, so that Nix can use it (its setting netrc-file). A netrc file has one
password for a host.`,
  options: {
    tokenFile: {
      names: ['--token-file'],
      parameters: ['FILE'],
      help: 'where the token is (-: standard input)',
    },
    key: {
      names: ['--trusted-public-key'],
      parameters: ['KEY'],
      help: 'trust this key and no others (repeatable)',
    },
    netrc: { names: ['--netrc'], parameters: ['FILE'], help: 'write the token into this netrc file, too' },
    logout: { names: ['--logout'], parameters: [], help: 'forget a cache and its token' },
  },
  async run(args, signal) {
    const [name, url, more] = args.positional;
    if (name === undefined || more !== undefined) throw new UsageError('wrong number of arguments');
    const known = new Map(readKnownCaches());
    if (args.has('logout')) {
      if (!known.delete(name)) throw new UsageError(`there is no cache '${name}' in '${knownCachesFile()}'`);
      writeKnownCaches(known);
      return;
    }
    if (url === undefined) throw new UsageError('the URL of the cache is missing');
    if (!isHttpUrl(url)) throw new UsageError(`'${url}' is no http or https URL`);
    const file = args.last('tokenFile');
    const token = file === undefined ? undefined : readToken(file);
    const keys = args.all('key');
    const cache: KnownCache = { url: withoutSlash(url), token, publicKeys: keys };
    const publicKeys = keys.length > 0 ? keys : await askForKeys(cache, signal);
    known.set(name, { ...cache, publicKeys });
    writeKnownCaches(known);
    const netrc = args.last('netrc');
    if (netrc !== undefined) writeNetrc(netrc, { host: new URL(url).hostname, token });
    if (args.has('quiet')) return;
    const trusted = publicKeys.length === 0 ? 'it signs with no key' : `trusted: ${publicKeys.join(' ')}`;
    write(2, `${name} is ${cache.url}; ${trusted}\n`);
  },
});

/** Shows at the same time that the token is good for it. */
async function askForKeys(cache: KnownCache, signal: AbortSignal): Promise<readonly string[]> {
  await using remote = new RemoteCache(cache, httpSettings());
  const info = await remote.info(signal);
  if (info !== undefined) return info.publicKeys;
  if (await remote.has('nix-cache-info', signal)) return [];
  throw new UsageError(`there is no binary cache at ${cache.url} that can be read with this token`);
}

type NetrcLine = { readonly host: string; readonly token: string | undefined };

/** The first entry of a host counts, so that ours goes to the beginning. */
function writeNetrc(file: string, { host, token }: NetrcLine): void {
  if (token === undefined) throw new UsageError('--netrc needs --token-file');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const isOurs = (line: string): boolean => line.startsWith(`machine ${host} login neve password `);
  const others = text.split('\n').filter((line) => !isOurs(line));
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, `machine ${host} login neve password ${token}\n${others.join('\n')}`, {
    mode: 0o600,
    flag: 'wx',
  });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}
