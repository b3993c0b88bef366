/**
 * The service types `daemon`, `unix`, `ssh-ng` and `ssh` for compositions: stores of Nix, behind a daemon or over ssh, as
 * sources of path infos and as places to put them.
 *
 *     unix:///nix/var/nix/daemon-socket/socket?trusted=true&blob_service=&root&directory_service=&root
 *
 *     [pathinfoservices.nix]
 *     type = "ssh-ng"
 *     url = "ssh-ng://host"
 *     trusted_public_keys = ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="]
 *
 * What speaks the protocols is loaded when a store is opened.
 */
import { nodeHashes } from '@neve/bytes/node';
import { blobKind, directoryKind } from '@neve/castore';
import { type OptionValues, type Registry, option, optionsFromUrl } from '@neve/compose';
import { StoreDirectory, parsePublicKey } from '@neve/nix-compat';
import { type PathInfoService, pathInfoKind } from '@neve/store';
import { openRemotePathInfos } from '../realise/remote-stores.ts';

const options = {
  /** As on the command line; parameters may be options, too. */
  url: option.text(),
  trusted_public_keys: option.textList().optional(),
  /** Take what nobody has signed. */
  trusted: option.boolean().default(false),
  priority: option.integer().optional(),
  store_dir: option.path().default('/nix/store'),
  max_connections: option.integer().optional(),
  ssh_key: option.path().optional(),
  base64_ssh_public_host_key: option.text().optional(),
  compress: option.boolean().optional(),
  remote_program: option.text().optional(),
  remote_store: option.text().optional(),
  /** Where the files of the store lie; it is of no use here. */
  root: option.text().optional(),
  blob_service: option.reference(blobKind).default('&root'),
  directory_service: option.reference(directoryKind).default('&root'),
};

type Options = OptionValues<typeof options>;

const descriptions = {
  daemon: 'The store of the Nix daemon of this machine',
  unix: 'The store of a Nix daemon behind a socket',
  'ssh-ng': 'The store of a Nix on another machine, over ssh',
  ssh: "The store of a Nix on another machine, over ssh by 'nix-store --serve'",
} as const;

export function registerNixStores(registry: Registry): void {
  for (const [type, description] of Object.entries(descriptions)) {
    registry.register({
      kind: pathInfoKind,
      type,
      description,
      options,
      fromUrl: (url) => optionsFromUrl(url, { whole: 'url' }),
      build,
    });
  }
}

const passedOn = [
  'priority',
  'max_connections',
  'ssh_key',
  'base64_ssh_public_host_key',
  'compress',
  'remote_program',
  'remote_store',
] as const satisfies readonly (keyof Options)[];

async function build(values: Options): Promise<PathInfoService> {
  const params = passedOn.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [`${name.replaceAll('_', '-')}=${encodeURIComponent(String(value))}`];
  });
  const url = [values.url, ...params].join('&');
  return await openRemotePathInfos(values.url.includes('?') ? url : url.replace('&', '?'), {
    store: { blobs: values.blob_service, directories: values.directory_service },
    storeDirectory: new StoreDirectory(values.store_dir, nodeHashes),
    environment: process.env,
    publicKeys: (values.trusted_public_keys ?? []).map(parsePublicKey),
    acceptUnsigned: values.trusted,
  });
}
