/**
 * The types of build services that this package offers to a composition, under the names that Snix uses where it has them.
 * `local:` takes the first kind of sandbox that works.
 */
import { type BlobService, blobKind, directoryKind } from '@neve/castore';
import type { BlobFiles } from '@neve/castore/node';
import { type Registry, option, optionsFromUrl } from '@neve/compose';
import { dummyBuilder } from '../dummy-builder.ts';
import { buildKind } from '../service-kinds.ts';
import { readBuildUsers } from './build-user-group.ts';
import { localBuilder } from './local-builder.ts';
import type { SandboxName } from './sandbox/choose-sandbox.ts';

export type BuildEnvironment = {
  /** The script of a thread that reads outputs. */
  readonly readerScript?: URL;
  /** Where programs are looked for, such as `bwrap`; the usual folders unless given. */
  readonly programFolders?: readonly string[];
};

const types: readonly (readonly [type: string, sandbox: SandboxName | undefined, description: string])[] = [
  ['local', undefined, 'Builds on this machine, in the first kind of sandbox that works'],
  ['unshare', 'unshare', 'Builds on this machine, in sandboxes that need nothing but the kernel'],
  ['bwrap', 'bubblewrap', 'Builds on this machine, in sandboxes of bubblewrap'],
  ['oci', 'oci', 'Builds on this machine, in containers of crun or runc'],
];

export function registerBuildServices(
  registry: Registry,
  { readerScript, programFolders }: BuildEnvironment = {},
): void {
  for (const [type, sandbox, description] of types) {
    registry.register({
      kind: buildKind,
      type,
      description,
      options: {
        path: option.path(),
        blob_service: option.reference(blobKind).default('&root'),
        directory_service: option.reference(directoryKind).default('&root'),
        bin_sh: option.path().optional(),
        ca_bundle: option.path().optional(),
        build_users_group: option.text().optional(),
      },
      fromUrl: (url) => optionsFromUrl(url, { path: 'path' }),
      build: async (options) =>
        await localBuilder({
          folder: options.path,
          blobs: options.blob_service,
          directories: options.directory_service,
          files: hasFiles(options.blob_service) ? options.blob_service : undefined,
          sandbox,
          binSh: options.bin_sh,
          caBundle: options.ca_bundle,
          buildUsers:
            options.build_users_group === undefined
              ? undefined
              : await readBuildUsers(options.build_users_group),
          readerScript,
          programFolders,
        }),
    });
  }
  registry.register({
    kind: buildKind,
    type: 'dummy',
    description: 'Builds nothing',
    options: {},
    fromUrl: (url) => optionsFromUrl(url),
    build: () => dummyBuilder(),
  });
}

function hasFiles(blobs: BlobService): blobs is BlobService & BlobFiles {
  return 'filePath' in blobs;
}
