/**
 * What builds, by its URL:
 *
 *     local:                     this machine, in the first kind of sandbox that works
 *     unshare:  bwrap:  oci:     this machine, in a sandbox of that kind
 *     grpc+unix:PATH  grpc+http://HOST:PORT  grpc+https://HOST:PORT
 *                                a server, to which inputs are copied and from which outputs are; with
 *                                ?shares_castore=true one that has the same store, so that nothing is copied
 *     dummy:                     nothing
 */
import type { BuildService } from '@neve/build';
import type { SandboxName } from '@neve/build/node';
import { ServiceUrl } from '@neve/compose';
import { parseGrpcAddress } from '@neve/rpc';
import { openGrpcBuilder, openRemoteBuilder } from '@neve/rpc/node';
import type { Castore } from '@neve/store';
import { currentTracing } from '@neve/telemetry';
import { UsageError } from '../usage-error.ts';
import { isBlobFiles } from './blob-files.ts';
import type { StoreState } from './store-state.ts';

export type BuilderName =
  /** Without `sandbox`, the first that works. */
  | { readonly kind: 'local'; readonly sandbox: SandboxName | undefined }
  | { readonly kind: 'server'; readonly url: string; readonly sharesCastore: boolean }
  | { readonly kind: 'dummy' };

export type BuilderPlace = {
  readonly castore: Castore;
  readonly state: StoreState;
  /** Whose members builds on this machine run as, if it is root that builds. */
  readonly buildUsersGroup: string | undefined;
};

const sandboxByScheme: Readonly<Record<string, SandboxName>> = {
  unshare: 'unshare',
  bwrap: 'bubblewrap',
  oci: 'oci',
};

/** A builder at `storeUrl`, a store of its own, shares it. Throws `UsageError`, `CompositionError` and `RpcError`. */
export function parseBuilder(text: string, storeUrl: string | undefined): BuilderName {
  if (text.startsWith('grpc+')) return parseServer(ServiceUrl.parse(text), storeUrl);
  const name = text.replace(/:$/, '');
  if (name === 'dummy') return { kind: 'dummy' };
  const sandbox = sandboxByScheme[name];
  if (name === 'local' || sandbox !== undefined) return { kind: 'local', sandbox };
  const known = ['local', ...Object.keys(sandboxByScheme), 'dummy'].map((it) => `${it}:`).join(', ');
  throw new UsageError(`there is no builder '${text}'; there are ${known}, grpc+unix:PATH and grpc+http:…`);
}

/** Throws `BuildError` and `RpcError`. Libraries are loaded by whoever needs them. */
export async function openBuilder(name: BuilderName, place: BuilderPlace): Promise<BuildService> {
  const builder = await openUntraced(name, place);
  if (currentTracing() === undefined) return builder;
  const { tracedBuilder } = await import('@neve/build');
  return tracedBuilder(builder, name.kind);
}

async function openUntraced(name: BuilderName, place: BuilderPlace): Promise<BuildService> {
  switch (name.kind) {
    case 'dummy': {
      const { dummyBuilder } = await import('@neve/build');
      return dummyBuilder();
    }
    case 'server':
      return name.sharesCastore
        ? await openGrpcBuilder(name.url)
        : await openRemoteBuilder(name.url, place.castore);
    case 'local':
      return await openLocalBuilder(name.sandbox, place);
  }
}

async function openLocalBuilder(
  sandbox: SandboxName | undefined,
  { castore: { blobs, directories }, state, buildUsersGroup = '' }: BuilderPlace,
): Promise<BuildService> {
  const { localBuilder, readBuildUsers } = await import('@neve/build/node');
  // Only root can be somebody else.
  const hasUsers = buildUsersGroup !== '' && process.getuid?.() === 0;
  return await localBuilder({
    folder: state.builderFolder,
    blobs,
    directories,
    files: isBlobFiles(blobs) ? blobs : undefined,
    ...(sandbox !== undefined && { sandbox }),
    ...(hasUsers && { buildUsers: await readBuildUsers(buildUsersGroup) }),
  });
}

function parseServer(url: ServiceUrl, storeUrl: string | undefined): BuilderName {
  const shared = url.query.find(([key]) => key === sharesCastoreKey);
  if (shared === undefined) {
    parseGrpcAddress(url.text);
    return { kind: 'server', url: url.text, sharesCastore: url.text === storeUrl };
  }
  const [, value] = shared;
  if (url.query.length > 1 || (value !== 'true' && value !== 'false')) {
    const known = `its query can be ?${sharesCastoreKey}=true and nothing else beside it`;
    throw new UsageError(`'${url}' is no builder: ${known}`);
  }
  const address = url.withoutQuery().text;
  parseGrpcAddress(address);
  return { kind: 'server', url: address, sharesCastore: value === 'true' };
}

const sharesCastoreKey = 'shares_castore';
