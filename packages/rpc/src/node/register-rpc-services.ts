/**
 * The types of services that this package offers to a composition: `grpc` and `bigtable`, with options as Snix names them.
 *
 *     grpc+unix:/path   grpc+http://host:port   grpc+https://host:port          ?wait-connect=1
 *       tls-ca, tls-certificate and tls-private-key are files, PEM; without the first, those that Node trusts
 *     bigtable://instance?project_id=…&table_name=…&family_name=…
 */
import { readFile } from 'node:fs/promises';
import { type OptionValues, type Registry, type ServiceUrl, option, optionsFromUrl } from '@neve/compose';
import { buildKind } from '@neve/build';
import { blobKind, directoryKind } from '@neve/castore';
import { pathInfoKind } from '@neve/store';
import { RpcError } from '../rpc-error.ts';
import type { BigtableOptions } from './bigtable-table.ts';
import { openBigtableDirectories, openBigtablePathInfos } from './open-bigtable.ts';
import type { GrpcClientOptions } from './grpc-channel.ts';
import {
  openGrpcBlobs,
  openGrpcBuilder,
  openGrpcDirectories,
  openGrpcPathInfos,
  openRemoteBuilder,
} from './open-grpc.ts';

export type RpcEnvironment = {
  /** `BIGTABLE_EMULATOR_HOST` and `GOOGLE_APPLICATION_CREDENTIALS`, if the program allows it. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
};

export function registerRpcServices(registry: Registry, { variables = {} }: RpcEnvironment = {}): void {
  registerGrpc(registry);
  const bigtable = {
    type: 'bigtable',
    options: bigtableOptions,
    fromUrl: (url: ServiceUrl) => optionsFromUrl(url, { host: 'instance_name' }),
  } as const;
  registry
    .register({
      ...bigtable,
      kind: directoryKind,
      description: "Directories in Google's Bigtable",
      build: async (options) => openBigtableDirectories(await connectionOf(options, variables)),
    })
    .register({
      ...bigtable,
      kind: pathInfoKind,
      description: "Path infos in Google's Bigtable",
      build: async (options) => openBigtablePathInfos(await connectionOf(options, variables)),
    });
}

function registerGrpc(registry: Registry): void {
  const server = {
    url: option.text(),
    wait_connect: option.integer({ min: 0, max: 1 }).default(0),
    tls_ca: option.path().optional(),
    tls_certificate: option.path().optional(),
    tls_private_key: option.path().optional(),
  };
  const grpc = {
    type: 'grpc',
    options: server,
    fromUrl: (url: ServiceUrl) => optionsFromUrl(url, { whole: 'url' }),
  } as const;
  const address = (options: OptionValues<typeof server>): string =>
    options.wait_connect === 1 ? `${options.url}?wait-connect=1` : options.url;
  registry
    .register({
      ...grpc,
      kind: blobKind,
      description: 'Blobs of a server: unix, http, https',
      build: async (options) => openGrpcBlobs(address(options), await clientOptions(options)),
    })
    .register({
      ...grpc,
      kind: directoryKind,
      description: 'Directories of a server: unix, http, https',
      build: async (options) => openGrpcDirectories(address(options), await clientOptions(options)),
    })
    .register({
      ...grpc,
      kind: pathInfoKind,
      description: 'Path infos of a server: unix, http, https',
      build: async (options) => openGrpcPathInfos(address(options), await clientOptions(options)),
    })
    .register({
      ...grpc,
      kind: buildKind,
      description: 'Builds on a server: unix, http, https',
      options: {
        ...server,
        /** The castore of the server is that of whoever calls, so that nothing is copied. */
        shares_castore: option.boolean().default(false),
        blob_service: option.reference(blobKind).default('&root'),
        directory_service: option.reference(directoryKind).default('&root'),
      },
      build: async (options) => {
        const { blob_service: blobs, directory_service: directories } = options;
        const client = await clientOptions(options);
        return options.shares_castore
          ? openGrpcBuilder(address(options), client)
          : openRemoteBuilder(address(options), { blobs, directories }, client);
      },
    });
}

type TlsFiles = {
  readonly tls_ca: string | undefined;
  readonly tls_certificate: string | undefined;
  readonly tls_private_key: string | undefined;
};

async function clientOptions({
  tls_ca: ca,
  tls_certificate: certificate,
  tls_private_key: privateKey,
}: TlsFiles): Promise<GrpcClientOptions> {
  const tls = {
    ...(ca !== undefined && { ca: await readPem('tls_ca', ca) }),
    ...(certificate !== undefined && { cert: await readPem('tls_certificate', certificate) }),
    ...(privateKey !== undefined && { key: await readPem('tls_private_key', privateKey) }),
  };
  return Object.keys(tls).length === 0 ? {} : { tls };
}

async function readPem(name: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new RpcError('invalid-argument', `the file of ${name}, '${path}', cannot be read: ${problem}`, {
      cause,
    });
  }
}

const bigtableOptions = {
  instance_name: option.text(),
  project_id: option.text(),
  table_name: option.text(),
  family_name: option.text(),
  app_profile_id: option.text().default('default'),
  is_read_only: option.boolean().default(false),
  /** How long the service may be silent. */
  timeout: option.seconds().default(4),
  /** The key of a service account. */
  credentials_file: option.path().optional(),
} as const;

async function connectionOf(
  options: OptionValues<typeof bigtableOptions>,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<BigtableOptions> {
  const emulatorHost = variables['BIGTABLE_EMULATOR_HOST'];
  const keyFile = options.credentials_file ?? variables['GOOGLE_APPLICATION_CREDENTIALS'];
  const usesKey = emulatorHost === undefined && keyFile !== undefined;
  return {
    instanceName: options.instance_name,
    projectId: options.project_id,
    tableName: options.table_name,
    familyName: options.family_name,
    appProfileId: options.app_profile_id,
    isReadOnly: options.is_read_only,
    timeoutMs: options.timeout * 1000,
    ...(emulatorHost !== undefined && { emulatorHost }),
    ...(usesKey && { serviceAccount: await readFile(keyFile, 'utf8') }),
  };
}
