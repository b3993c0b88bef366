/** Questions about what is in the store, and what could be. */
import type { StorePath, UnkeyedValidPathInfo } from '@neve/nix-compat';
import type { SubstitutablePathInfo } from '@neve/nix-compat/protocols';
import { type Decision, Decisions, KnownPaths, type Offer } from '@neve/realise';
import type { PathInfo } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { type Call, type Handlers, reveal } from './call.ts';
import { mapInOrder } from './map-in-order.ts';
import { planBuild } from './plan-build.ts';
import { realisePaths } from './realise-goals.ts';
import { findPathInfo, invalidPath, requirePathInfo } from './valid-paths.ts';

export const queryOperations: Handlers<
  | 'isValidPath'
  | 'hasSubstitutes'
  | 'queryPathHash'
  | 'queryReferences'
  | 'queryReferrers'
  | 'queryDeriver'
  | 'queryPathInfo'
  | 'queryPathFromHashPart'
  | 'queryValidPaths'
  | 'queryAllValidPaths'
  | 'queryValidDerivers'
  | 'queryDerivationOutputs'
  | 'queryDerivationOutputNames'
  | 'queryDerivationOutputMap'
  | 'querySubstitutablePaths'
  | 'querySubstitutablePathInfo'
  | 'querySubstitutablePathInfos'
  | 'queryMissing'
> = {
  isValidPath: async ({ path }, call) => (await find(path, call)) !== undefined,
  hasSubstitutes: async ({ path }, call) => (await decisionsFor(call).offer(path)) !== undefined,
  queryPathHash: async ({ path }, call) => (await require(path, call)).narHash.format('hex'),
  queryReferences: async ({ path }, call) => (await require(path, call)).references,
  queryReferrers,
  queryDeriver: async ({ path }, call) => (await require(path, call)).deriver,
  queryPathInfo,
  queryPathFromHashPart,
  queryValidPaths,
  queryAllValidPaths,
  queryValidDerivers: ({ path }, { daemon, signal }) => daemon.derivations.derivers(path, signal),
  async queryDerivationOutputs({ path }, { daemon, signal }) {
    const paths = await daemon.derivations.outputPaths(path, await daemon.derivations.read(path, signal));
    return [...paths.values()].filter((it) => it !== undefined);
  },
  async queryDerivationOutputNames({ path }, { daemon, signal }) {
    return [...(await daemon.derivations.read(path, signal)).outputs.keys()];
  },
  async queryDerivationOutputMap({ path }, { daemon, signal }) {
    return await daemon.derivations.outputPaths(path, await daemon.derivations.read(path, signal));
  },
  async querySubstitutablePaths({ paths }, call) {
    const decisions = decisionsFor(call);
    const offers = await mapInOrder(paths, (it) => decisions.offer(it));
    return paths.filter((_, index) => offers[index] !== undefined);
  },
  async querySubstitutablePathInfo({ path }, call) {
    const offer = await decisionsFor(call).offer(path);
    return offer === undefined ? undefined : substitutable(offer);
  },
  async querySubstitutablePathInfos({ paths }, call) {
    const decisions = decisionsFor(call);
    const offers = await mapInOrder(paths, async ([path]) => ({ path, offer: await decisions.offer(path) }));
    return offers.flatMap(({ path, offer }) =>
      offer === undefined ? [] : [{ path, ...substitutable(offer) }],
    );
  },
  queryMissing: ({ targets }, call) => planBuild(targets, call),
};

/** As clients are told. When it was registered nobody knows. */
export function describePathInfo(pathInfo: PathInfo): UnkeyedValidPathInfo {
  const { deriver, narHash, references, narSize, signatures, contentAddress } = pathInfo;
  return {
    ...{ deriver, narHash, references, narSize, signatures, contentAddress },
    registrationTime: 0,
    ultimate: false,
  };
}

async function find(path: StorePath, call: Call): Promise<PathInfo | undefined> {
  return await reveal(await findPathInfo(path, call.daemon, call.signal), call);
}

async function require(path: StorePath, call: Call): Promise<PathInfo> {
  return await requirePathInfo(path, call.daemon, call.signal);
}

async function queryPathInfo(
  { path }: { readonly path: StorePath },
  call: Call,
): Promise<UnkeyedValidPathInfo | undefined> {
  const pathInfo = await find(path, call);
  if (pathInfo !== undefined) return describePathInfo(pathInfo);
  if (call.context.minor < 17) throw invalidPath(path, call.daemon);
  return undefined;
}

/** As Nix counts, what mentions itself refers to itself. */
async function queryReferrers(
  { path }: { readonly path: StorePath },
  call: Call,
): Promise<readonly StorePath[]> {
  const { store } = call.daemon;
  const own = await require(path, call);
  const hashParts = (await store.pathInfos.inventory?.referrers(path.hashPart, call.signal)) ?? [];
  const found = await mapInOrder(hashParts, (it) => store.pathInfos.get(it, call.signal));
  const isSelf = own.references.some(({ hashPart }) => hashPart === path.hashPart);
  return [...(isSelf ? [own] : []), ...found].flatMap((it) => it?.storePath ?? []);
}

async function queryPathFromHashPart(
  { hashPart }: { readonly hashPart: string },
  call: Call,
): Promise<StorePath | undefined> {
  if (!/^[0-9a-df-np-sv-z]{32}$/.test(hashPart))
    throw new NixDaemonError('invalid-request', 'invalid hash part');
  return (await reveal(await call.daemon.store.pathInfos.get(hashPart, call.signal), call))?.storePath;
}

/** With `substitute`, what caches have is got first. */
async function queryValidPaths(
  { paths, substitute }: { readonly paths: readonly StorePath[]; readonly substitute: boolean },
  call: Call,
): Promise<readonly StorePath[]> {
  if (substitute && call.settings.options.substitutes) {
    const missing = await mapInOrder(paths, async (it) =>
      (await find(it, call)) === undefined ? it : undefined,
    );
    const wanted = await substitutableAmong(
      missing.filter((it) => it !== undefined),
      call,
    );
    // What cannot be had is not there afterwards, which is the answer.
    if (wanted.length > 0) await realisePaths(wanted, call);
  }
  const found = await mapInOrder(paths, (it) => find(it, call));
  return found.flatMap((it) => it?.storePath ?? []);
}

async function substitutableAmong(paths: readonly StorePath[], call: Call): Promise<readonly StorePath[]> {
  const decisions = decisionsFor(call);
  const found = await mapInOrder(paths, async (it) => ({ it, decision: await decisions.decide(it) }));
  return found.flatMap(({ it, decision }) => (isOffer(decision) ? [it] : []));
}

function isOffer({ kind }: Decision): boolean {
  return kind === 'substitute';
}

async function queryAllValidPaths(_: unknown, { daemon, signal }: Call): Promise<readonly StorePath[]> {
  const paths: StorePath[] = [];
  for await (const { storePath } of daemon.store.pathInfos.list(signal)) paths.push(storePath);
  return paths;
}

/** What caches say, as they are asked for this client. */
function decisionsFor({ daemon, settings, log, signal }: Call): Decisions {
  const { substitutes, caches } = settings.options;
  return new Decisions({
    store: daemon.store,
    known: new KnownPaths(() => {
      throw new Error('nothing is described');
    }),
    substituters: substitutes ? daemon.substituters(caches) : [],
    readDerivation: (pathInfo, _castore, readSignal) => daemon.derivations.readFrom(pathInfo, readSignal),
    allowsSubstitutes: () => true,
    onProblem: ({ substituter, error, isLast }) => {
      if (isLast) log.warn(`${substituter.name} is not asked for anything: ${error.message}`);
    },
    signal,
  });
}

function substitutable({ narInfo }: Offer): SubstitutablePathInfo {
  const { deriver, references, narSize, fileSize = 0 } = narInfo;
  return { deriver, references, narSize, downloadSize: fileSize };
}
