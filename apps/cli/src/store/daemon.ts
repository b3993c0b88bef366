/** `neve store daemon`: the store over gRPC, and builds in it. */
import { serveGrpc } from '@neve/rpc/node';
import type { BuildService } from '@neve/build';
import { availableParallelism } from 'node:os';
import { untilAborted } from '../interruption.ts';
import { write } from '../output.ts';
import { parseCount } from '../quantities.ts';
import { readTlsFiles, tlsOptions } from '../tls-options.ts';
import { UsageError } from '../usage-error.ts';
import type { BuilderPlace } from './open-builder.ts';
import { openStore } from './open-store.ts';
import { takeRollingLease } from './rolling-lease.ts';
import { openState } from './store-state.ts';
import { storeCommand } from './store-command.ts';

export const daemonCommand = storeCommand({
  name: 'daemon',
  summary: 'serve the store over gRPC to clients of Neve, Snix and Tvix',
  usage: ['daemon [OPTIONS]'],
  arguments: [],
  description: `Serves blobs, directories and path infos, with the health and reflection protocols, until it is interrupted.
ADDRESS is host:port, [::1]:8000 or unix:/path.

With --builder it builds as well: whoever can connect can have any program run in its sandboxes.`,
  options: {
    listen: {
      names: ['-l', '--listen-address', '--listen'],
      parameters: ['ADDRESS'],
      help: 'where to listen (default: [::1]:8000)',
    },
    ...tlsOptions,
    builder: {
      names: ['--builder'],
      parameters: ['URL'],
      values: [['local:', 'bwrap:', 'oci:', 'unshare:']],
      help: 'build for clients: local:, bwrap:, oci:, unshare: or a builder elsewhere, grpc+unix:PATH',
    },
    maxBuilds: {
      names: ['--max-builds'],
      parameters: ['N'],
      help: 'how many builds run at the same time (default: one for each processor)',
    },
    buildUsers: {
      names: ['--build-users-group'],
      parameters: ['GROUP'],
      help: 'as root, build as the members of this group',
    },
    hostPaths: {
      names: ['--allow-host-path'],
      parameters: ['PATH'],
      help: 'what builds may see of this machine, if they ask for it, beside /dev/kvm; may be given again',
    },
  },
  async run(args, signal) {
    if (args.positional.length > 0) throw new UsageError('neve store daemon takes no arguments');
    const tls = readTlsFiles(args);
    await using store = await openStore(args);
    await using state = await openState(args);
    await using _lease = await takeRollingLease(state.leases);
    const [url, maxBuilds] = [args.last('builder'), args.last('maxBuilds')];
    const place = { castore: store, state, buildUsersGroup: args.last('buildUsers') };
    await using builder = url === undefined ? undefined : await openBuilderAt(url, place);
    const buildPolicy = {
      hostPaths: ['/dev/kvm', ...args.all('hostPaths').map(hostPath)],
      maxBuilds: maxBuilds === undefined ? availableParallelism() : parseCount(maxBuilds, '--max-builds'),
    };
    await using server = await serveGrpc(
      {
        ...store,
        narCalculation: state.narCalculation(store),
        ...(builder !== undefined && { builder, buildPolicy }),
      },
      {
        listen: args.last('listen') ?? '[::1]:8000',
        ...(tls !== undefined && { tls }),
        onError: (error) => write(2, `error: ${error instanceof Error ? error.message : String(error)}\n`),
      },
    );
    write(2, `listening on ${server.address}; clients connect to ${server.url}\n`);
    await untilAborted(signal);
  },
});

/** Loaded when it is wanted: no other command of the store builds. */
async function openBuilderAt(url: string, place: BuilderPlace): Promise<BuildService> {
  const { openBuilder, parseBuilder } = await import('./open-builder.ts');
  return await openBuilder(parseBuilder(url, undefined), place);
}

function hostPath(path: string): string {
  const isClean = path
    .split('/')
    .every((it, index) => (index === 0) === (it === '') && it !== '.' && it !== '..');
  if (isClean) return path;
  throw new UsageError(`--allow-host-path '${path}' is not an absolute path without '.', '..' and '//'`);
}
