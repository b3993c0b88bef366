/**
 * The service type `nix` for compositions: a binary cache as a source of path infos.
 *
 *     nix+https://cache.nixos.org?trusted-public-keys=K1%20K2&priority=10&blob_service=&root&directory_service=&root
 *
 *     [pathinfoservices.cache-nixos-org]
 *     type = "nix"
 *     base_url = "https://cache.nixos.org"
 *     public_keys = ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="]
 *
 * What concerns the machine and not the cache (proxies, user agent) is given by the program.
 */
import { readFile } from 'node:fs/promises';
import { nodeHashes } from '@neve/bytes/node';
import { blobKind, directoryKind } from '@neve/castore';
import { type OptionValues, type Registry, ServiceUrl, option, optionsFromUrl } from '@neve/compose';
import { type NetrcEntry, parseNetrc } from '@neve/http';
import type { HttpSettings, TlsSettings } from '@neve/http/node';
import { StoreDirectory, parsePublicKey } from '@neve/nix-compat';
import { pathInfoKind } from '../service-kinds.ts';
import { StoreError } from '../store-error.ts';
import type { PathInfoService } from '../path-info-service.ts';
import type { Substituter } from '../substituter.ts';
import { openSubstituters } from '../substituters.ts';
import { openHttpCache } from './http-cache/http-cache-path-infos.ts';
import { LmdbNarInfoTable } from './http-cache/lmdb-narinfo-table.ts';

export type HttpCacheDefaults = Omit<HttpSettings, 'tls'> & {
  /** A folder with the database that remembers narinfos for all caches. */
  readonly narInfoFolder?: string;
};

const options = {
  /** http, https or file. */
  base_url: option.url(),
  public_keys: option.textList().optional(),
  /** The same as `public_keys`, as it is in the query of a URL. */
  trusted_public_keys: option.textList().optional(),
  accept_unsigned: option.boolean().default(false),
  priority: option.integer().optional(),
  store_dir: option.path().default('/nix/store'),
  netrc_file: option.path().optional(),
  tls_ca: option.path().optional(),
  tls_certificate: option.path().optional(),
  tls_private_key: option.path().optional(),
  narinfo_cache: option.path().optional(),
  blob_service: option.reference(blobKind).default('&root'),
  directory_service: option.reference(directoryKind).default('&root'),
};

const { base_url: _url, priority: _priority, ...commonOptions } = options;

/** Several caches that are trusted in the same way. */
const groupOptions = {
  base_urls: option.textList(),
  fallback: option.boolean().default(false),
  ...commonOptions,
};

type Options = OptionValues<typeof options>;
type CommonOptions = OptionValues<typeof commonOptions>;

export function registerHttpCache(registry: Registry, defaults: HttpCacheDefaults = {}): void {
  registry.register({
    kind: pathInfoKind,
    type: 'nix',
    description: 'A binary cache of Nix behind HTTP or in a folder (read-only)',
    options,
    fromUrl: (url) => optionsFromUrl(url, { inner: 'base_url' }),
    build: (values) => build(values, defaults),
  });
  registry.register({
    kind: pathInfoKind,
    type: 'substituters',
    description: 'Several binary caches of Nix, asked in the order of the priorities that they say they have',
    options: groupOptions,
    build: ({ base_urls: urls, fallback, ...common }) => buildGroup(urls, { fallback, common, defaults }),
  });
}

type GroupOptions = {
  readonly fallback: boolean;
  readonly common: CommonOptions;
  readonly defaults: HttpCacheDefaults;
};

/** The caches are nobody else's, so they are disposed of with the group. */
async function buildGroup(
  urls: readonly string[],
  { fallback, common, defaults }: GroupOptions,
): Promise<PathInfoService> {
  const caches: Substituter[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(caches.map((cache) => cache[Symbol.asyncDispose]()));
  };
  try {
    for (const url of urls) {
      caches.push(await build({ ...common, base_url: ServiceUrl.parse(url), priority: undefined }, defaults));
    }
    return Object.assign(openSubstituters({ caches, fallback }), { [Symbol.asyncDispose]: close });
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(values: Options, { narInfoFolder, ...http }: HttpCacheDefaults): Promise<Substituter> {
  const publicKeys = [...(values.public_keys ?? []), ...(values.trusted_public_keys ?? [])].map(
    parsePublicKey,
  );
  const netrc = (await readNetrc(values.netrc_file)) ?? http.netrc;
  const tls = await readTls(values);
  const folder = values.narinfo_cache ?? narInfoFolder;
  const narInfoTable = folder === undefined ? undefined : await openTable(folder, values.base_url);
  try {
    return openHttpCache({
      url: values.base_url.text,
      blobs: values.blob_service,
      directories: values.directory_service,
      publicKeys,
      acceptUnsigned: values.accept_unsigned,
      priority: values.priority,
      store: new StoreDirectory(values.store_dir, nodeHashes),
      narInfoTable,
      http: { ...http, ...(netrc === undefined ? {} : { netrc }), tls },
    });
  } catch (error) {
    await narInfoTable?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Keyed by what is shown, since passwords do not belong into a database. */
function openTable(folder: string, url: ServiceUrl): Promise<LmdbNarInfoTable> {
  return LmdbNarInfoTable.open(folder, { cache: url.toString() });
}

async function readNetrc(path: string | undefined): Promise<readonly NetrcEntry[] | undefined> {
  return path === undefined ? undefined : parseNetrc(await readSetting('netrc_file', path));
}

async function readTls({ tls_ca, tls_certificate, tls_private_key }: Options): Promise<TlsSettings> {
  const read = (name: string, path: string | undefined): Promise<string | undefined> =>
    path === undefined ? Promise.resolve(undefined) : readSetting(name, path);
  return {
    ca: await read('tls_ca', tls_ca),
    certificate: await read('tls_certificate', tls_certificate),
    privateKey: await read('tls_private_key', tls_private_key),
  };
}

async function readSetting(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('io', `the file of ${name}, '${path}', cannot be read: ${problem}`, { cause });
  }
}
