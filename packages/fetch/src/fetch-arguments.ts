/**
 * What the builtins that fetch are given, a text or a set, and what they are to fetch and to give for it. Messages are those
 * of Nix 2.34; what concerns types that an attribute cannot have (a list, a function) is the evaluator's to say.
 *
 *     fetchurl, fetchTarball      a store path
 *     fetchGit, fetchTree         a set with `outPath` and what `treeAttributes` gives
 *     fetchMercurial              a set with `outPath` and what `mercurialAttributes` gives
 */
import { Digest } from '@neve/bytes';
import { NixCompatError, checkStorePathName } from '@neve/nix-compat';
import type { Fetch } from './fetch.ts';
import { FetchError } from './fetch-error.ts';
import type { Fetched } from './fetcher.ts';
import { parseGitUrl } from './git-url.ts';
import { type InputAttributes, booleanAttribute, parseHash, printAttributes } from './input-attributes.ts';
import { type ExperimentalFeature, type LockSettings, revisionPattern } from './input-scheme.ts';
import { printNixUrl } from './nix-url.ts';
import { lockTreeReference, mercurialAttributes, treeAttributes } from './tree-attributes.ts';
import {
  type TreeReference,
  checkPurity,
  fetchOfTreeReference,
  parseTreeReference,
  printTreeReference,
  treeReferenceOfAttributes,
} from './tree-reference.ts';

/** Paths are texts, without having been copied anywhere. */
export type FetchArgument = string | InputAttributes;

export type FetchSettings = LockSettings & {
  readonly features?: ReadonlySet<ExperimentalFeature>;
  /** Refuses what is not locked. */
  readonly pure?: boolean;
};

export type FetchRequest = {
  readonly fetch: Fetch;
  readonly result: FetchResult;
  readonly warnings: readonly string[];
};

/** What the builtin gives when the fetch is done. */
export type FetchResult =
  | { readonly kind: 'path' }
  | { readonly kind: 'tree'; readonly reference: TreeReference; readonly emptyRevision: boolean }
  | { readonly kind: 'mercurial' };

export type FetchBuiltin = 'fetchurl' | 'fetchTarball' | 'fetchGit' | 'fetchTree' | 'fetchMercurial';

/** Throws `FetchError`: `invalid-fetch`, `unsupported`. */
export function readFetchArguments(
  builtin: FetchBuiltin,
  argument: FetchArgument,
  settings: FetchSettings = {},
): FetchRequest {
  switch (builtin) {
    case 'fetchurl':
    case 'fetchTarball':
      return readDownload(builtin, argument, settings);
    case 'fetchGit':
    case 'fetchTree':
      return readTree(builtin, argument, settings);
    case 'fetchMercurial':
      return readMercurial(argument, settings);
  }
}

/** The attributes beside `outPath`; `undefined` where the builtin gives a path. Throws `FetchError` (`invalid-fetch`). */
export function fetchResultAttributes(result: FetchResult, fetched: Fetched): InputAttributes | undefined {
  switch (result.kind) {
    case 'path':
      return undefined;
    case 'tree':
      return treeAttributes(lockTreeReference(result.reference, fetched), result);
    case 'mercurial':
      return mercurialAttributes(fetched);
  }
}

function readDownload(
  builtin: 'fetchurl' | 'fetchTarball',
  argument: FetchArgument,
  { pure = false }: FetchSettings,
): FetchRequest {
  const given = typeof argument === 'string' ? { url: argument } : downloadAttributes(builtin, argument);
  const url = builtin === 'fetchTarball' ? channelUrl(given.url) : given.url;
  const name =
    given.name || (builtin === 'fetchTarball' && given.name === undefined ? 'source' : baseName(url));
  checkName(name, { builtin, url, argument });
  if (pure && given.sha256 === undefined) {
    throw invalid(`in pure evaluation mode, '${builtin}' requires a 'sha256' argument`);
  }
  const { digest, warnings } = hashOrEmpty(given.sha256);
  const fetch: Fetch =
    builtin === 'fetchurl'
      ? { kind: 'url', name, urls: [url], hash: digest }
      : { kind: 'tarball', name, urls: [url], narHash: digest };
  return { fetch, result: { kind: 'path' }, warnings };
}

type Download = { readonly url: string; readonly name?: string; readonly sha256?: string };

function downloadAttributes(builtin: string, attributes: InputAttributes): Download {
  const given: { url?: string; name?: string; sha256?: string } = {};
  for (const [name, value] of inOrder(attributes)) {
    if (name !== 'url' && name !== 'name' && name !== 'sha256') {
      throw invalid(`unsupported argument '${name}' to '${builtin}'`);
    }
    given[name] = expectText(name, value);
  }
  const { url } = given;
  if (url === undefined) throw invalid("'url' argument required");
  return { ...given, url };
}

function hashOrEmpty(text: string | undefined): {
  readonly digest: Digest | undefined;
  readonly warnings: readonly string[];
} {
  if (text === undefined) return { digest: undefined, warnings: [] };
  if (text !== '') return { digest: parseHash(text, 'sha256'), warnings: [] };
  const digest = new Digest('sha256', new Uint8Array(32));
  return { digest, warnings: [`found empty hash, assuming '${digest.format('sri')}'`] };
}

/** `channel:nixos-unstable` is short for a tarball. */
function channelUrl(url: string): string {
  return url.startsWith('channel:')
    ? `https://channels.nixos.org/${url.slice('channel:'.length)}/nixexprs.tar.xz`
    : url;
}

function baseName(url: string): string {
  return /([^/]*)\/*$/.exec(url)?.[1] ?? '';
}

function checkName(
  name: string,
  call: { readonly builtin: string; readonly url: string; readonly argument: FetchArgument },
): void {
  try {
    checkStorePathName(name);
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    const { builtin, url, argument } = call;
    throw new FetchError(
      'invalid-fetch',
      `invalid store path name when fetching URL '${url}': ${cause.message}. ${nameHint(builtin, argument)}`,
      { cause },
    );
  }
}

function nameHint(builtin: string, argument: FetchArgument): string {
  const end = 'so that it can create a valid store path.';
  if (typeof argument === 'string') {
    return `Please pass an attribute set with 'url' and 'name' attributes to '${builtin}',  ${end}`;
  }
  return argument.has('name')
    ? `Please change the value for the 'name' attribute passed to '${builtin}', ${end}`
    : `Please add a valid 'name' attribute to the argument for '${builtin}', ${end}`;
}

function readTree(
  builtin: 'fetchGit' | 'fetchTree',
  argument: FetchArgument,
  settings: FetchSettings,
): FetchRequest {
  const features = settings.features ?? new Set();
  const reference =
    builtin === 'fetchGit'
      ? treeReferenceOfAttributes(gitAttributes(argument), { features })
      : treeReference(argument, features);
  const warning = settings.pure === true ? checkPurity(reference, { ...settings, builtin }) : undefined;
  if (reference.attributes.get('__final') === true) {
    throw invalid(`input '${printTreeReference(reference)}' is not allowed to use the '__final' attribute`);
  }
  return {
    fetch: fetchOfTreeReference(reference),
    result: { kind: 'tree', reference, emptyRevision: builtin === 'fetchGit' },
    warnings: warning === undefined ? [] : [warning],
  };
}

function gitAttributes(argument: FetchArgument): InputAttributes {
  const given: InputAttributes = typeof argument === 'string' ? new Map([['url', argument]]) : argument;
  if (given.has('type')) throw invalid("unexpected argument 'type'");
  checkNumbers('fetchGit', given);
  const attributes = new Map<string, string | bigint | boolean>([['type', 'git'], ...given]);
  const url = given.get('url');
  if (typeof url === 'string') attributes.set('url', printNixUrl(parseGitUrl(url)));
  if (!given.has('exportIgnore') && !booleanAttribute(given, 'submodules'))
    attributes.set('exportIgnore', true);
  return attributes;
}

function treeReference(argument: FetchArgument, features: ReadonlySet<ExperimentalFeature>): TreeReference {
  if (typeof argument === 'string') {
    if (features.has('flakes')) return parseTreeReference(argument, { features });
    throw new FetchError(
      'unsupported',
      "passing a string argument to 'fetchTree' requires the 'flakes' experimental feature",
    );
  }
  const type = argument.get('type');
  if (type === undefined) throw invalid("argument 'type' is missing in call to 'fetchTree'");
  checkNumbers('fetchTree', argument);
  if (argument.has('name')) throw invalid("argument 'name' isn’t supported in call to 'fetchTree'");
  const isDeep = type !== 'git' || argument.has('shallow');
  return treeReferenceOfAttributes(isDeep ? argument : new Map([...argument, ['shallow', true]]), {
    features,
  });
}

function checkNumbers(builtin: string, attributes: InputAttributes): void {
  for (const [name, value] of inOrder(attributes)) {
    if (typeof value !== 'bigint' || value >= 0n) continue;
    throw invalid(`negative value given for '${builtin}' argument '${name}': ${value}`);
  }
}

function readMercurial(argument: FetchArgument, { pure = false }: FetchSettings): FetchRequest {
  const given: InputAttributes = typeof argument === 'string' ? new Map([['url', argument]]) : argument;
  for (const [name] of inOrder(given)) {
    if (!['url', 'rev', 'name'].includes(name)) {
      throw invalid(`unsupported argument '${name}' to 'fetchMercurial'`);
    }
  }
  const url = expectText('url', given.get('url') ?? '');
  if (url === '') throw invalid("'url' argument required");
  const version = expectText('rev', given.get('rev') ?? '');
  const isRevision = revisionPattern.test(version);
  if (pure && !isRevision) {
    throw invalid("in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision");
  }
  const attributes = new Map([
    ['type', 'hg'],
    ['url', url.includes('://') ? url : `file://${url}`],
    ['name', expectText('name', given.get('name') ?? 'source')],
    ...(version === '' ? [] : [[isRevision ? 'rev' : 'ref', version] as const]),
  ]);
  const fetch = fetchOfTreeReference(treeReferenceOfAttributes(attributes));
  return { fetch, result: { kind: 'mercurial' }, warnings: [] };
}

function inOrder(attributes: InputAttributes): readonly (readonly [string, string | bigint | boolean])[] {
  return [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
}

function expectText(name: string, value: string | bigint | boolean): string {
  if (typeof value === 'string') return value;
  throw invalid(`argument '${name}' is not a string ${printAttributes(new Map([[name, value]]))}`);
}

function invalid(message: string): FetchError {
  return new FetchError('invalid-fetch', message);
}
