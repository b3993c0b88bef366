/**
 * Opens what a URL of remote-store-url.ts names. Over ssh the program at the other end is `nix-daemon --stdio` (`ssh-ng:`) or
 * `nix-store --serve --write` (`ssh:`), or `remote-program`; `NIX_SSHOPTS` are options for ssh.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreDirectory } from '@neve/nix-compat';
import type { Dialer } from '../../client/remote-connection.ts';
import type { RemoteStoreUrl, SshHost } from '../../client/remote-store-url.ts';
import type { RemoteStore } from '../../client/remote-store.ts';
import { ServeStore } from '../../client/serve-store.ts';
import { WorkerStore } from '../../client/worker-store.ts';
import { NixDaemonError } from '../../nix-daemon-error.ts';
import { commandDialer, socketDialer } from './dial.ts';
import { splitShellWords } from './shell-words.ts';

export type OpenRemoteStoreOptions = {
  readonly store: StoreDirectory;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

const defaultSocket = '/nix/var/nix/daemon-socket/socket';

/** Nothing is asked yet. Throws `NixDaemonError` (`invalid-request`) for parameters that cannot be. */
export function openRemoteStore(
  url: RemoteStoreUrl,
  { store, environment }: OpenRemoteStoreOptions,
): RemoteStore {
  if (url.kind === 'unix') {
    const socket = url.socket ?? environment['NIX_DAEMON_SOCKET_PATH'] ?? defaultSocket;
    const maxConnections = countParam(url, 'max-connections') ?? 4;
    return new WorkerStore({ name: url.text, dial: socketDialer(socket), store, maxConnections });
  }
  const maxConnections = countParam(url, 'max-connections') ?? 1;
  const remote = remoteCommand(url);
  const ssh = new SshCommand(url.host, { params: url.params, environment });
  const dial = ssh.dialer(url.text, remote);
  const options = { name: url.text, dial, store, maxConnections };
  const opened = url.kind === 'ssh-ng' ? new WorkerStore(options) : new ServeStore(options);
  const dispose = opened[Symbol.asyncDispose].bind(opened);
  return Object.assign(opened, {
    [Symbol.asyncDispose]: async () => {
      await dispose();
      ssh.removeFiles();
    },
  });
}

function remoteCommand({ kind, params }: RemoteStoreUrl): readonly string[] {
  const [program, ...args] =
    kind === 'ssh-ng' ? ['nix-daemon', '--stdio'] : ['nix-store', '--serve', '--write'];
  const named = (params.get('remote-program') ?? '').split(/\s+/).filter((it) => it !== '');
  const remoteStore = params.get('remote-store');
  return [
    ...(named.length > 0 ? named : [program ?? '']),
    ...args,
    ...(remoteStore === undefined || remoteStore === '' ? [] : ['--store', remoteStore]),
  ];
}

type SshOptions = {
  readonly params: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** How ssh is called for a host. */
class SshCommand {
  readonly #host: SshHost;
  readonly #options: SshOptions;
  /** Holds the host's key, where one is given. */
  #folder: string | undefined;

  constructor(host: SshHost, options: SshOptions) {
    this.#host = host;
    this.#options = options;
  }

  dialer(name: string, remote: readonly string[]): Dialer {
    const environment = { ...this.#options.environment, SHELL: '/bin/sh' };
    // As in Nix, this name alone stands for this machine, without any ssh.
    const { user, host, port } = this.#host;
    const isHere = host === 'localhost' && user === undefined && port === undefined;
    return (signal) => {
      const command = isHere ? remote : [...this.#arguments(), '--', ...remote];
      return commandDialer(name, command, environment)(signal);
    };
  }

  removeFiles(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  #arguments(): readonly string[] {
    const { user, host, port } = this.#host;
    const { params, environment } = this.#options;
    const key = params.get('ssh-key');
    const hostKey = params.get('base64-ssh-public-host-key');
    return [
      'ssh',
      user === undefined ? host : `${user}@${host}`,
      '-x',
      ...splitShellWords(environment['NIX_SSHOPTS'] ?? ''),
      ...(key === undefined || key === '' ? [] : ['-i', key]),
      ...(hostKey === undefined || hostKey === ''
        ? []
        : [`-oUserKnownHostsFile=${this.#knownHosts(hostKey)}`]),
      ...(params.get('compress') === 'true' ? ['-C'] : []),
      ...(port === undefined ? [] : [`-p${port}`]),
    ];
  }

  #knownHosts(hostKey: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'neve-ssh-'));
    const file = join(this.#folder, 'host-key');
    writeFileSync(file, `${this.#host.host} ${Buffer.from(hostKey, 'base64').toString().trim()}\n`);
    return file;
  }
}

function countParam({ params, text }: RemoteStoreUrl, name: string): number | undefined {
  const value = params.get(name);
  if (value === undefined) return undefined;
  if (/^[1-9][0-9]{0,4}$/.test(value)) return Number(value);
  throw new NixDaemonError(
    'invalid-request',
    `'${text}' says '${value}' for ${name}, which is no number from 1 on`,
  );
}
