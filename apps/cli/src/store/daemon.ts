/** `neve store daemon`: the store over gRPC. */
import { serveGrpc } from '@neve/rpc/node';
import { readFileSync } from 'node:fs';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { openStore } from './open-store.ts';
import { takeRollingLease } from './rolling-lease.ts';
import { openState } from './store-state.ts';
import { storeCommand } from './store-command.ts';

export const daemonCommand = storeCommand({
  name: 'daemon',
  summary: 'serve the store over gRPC to clients of Neve, Snix and Tvix',
  usage: ['daemon [OPTIONS]'],
  description: `Serves blobs, directories and path infos, with the health and reflection protocols, until it is interrupted.
ADDRESS is host:port, [::1]:8000 or unix:/path.`,
  options: {
    listen: {
      names: ['-l', '--listen-address', '--listen'],
      parameters: ['ADDRESS'],
      help: 'where to listen (default: [::1]:8000)',
    },
    cert: { names: ['--tls-cert'], parameters: ['FILE'], help: 'certificate of the server, PEM' },
    key: { names: ['--tls-key'], parameters: ['FILE'], help: 'its secret key, PEM' },
    ca: {
      names: ['--tls-client-ca'],
      parameters: ['FILE'],
      help: 'only clients with a certificate by this one',
    },
  },
  async run(args, signal) {
    if (args.positional.length > 0) throw new UsageError('neve store daemon takes no arguments');
    const { cert, key, ca } = { cert: args.last('cert'), key: args.last('key'), ca: args.last('ca') };
    if ((cert === undefined) !== (key === undefined))
      throw new UsageError('--tls-cert and --tls-key belong together');
    await using store = await openStore(args);
    await using state = await openState(args);
    await using _lease = await takeRollingLease(state.leases);
    await using server = await serveGrpc(
      { ...store, narCalculation: state.narCalculation(store) },
      {
        listen: args.last('listen') ?? '[::1]:8000',
        ...(cert !== undefined &&
          key !== undefined && {
            tls: {
              cert: readFileSync(cert),
              key: readFileSync(key),
              ...(ca !== undefined && { ca: readFileSync(ca) }),
            },
          }),
        onError: (error) => write(2, `error: ${error instanceof Error ? error.message : String(error)}\n`),
      },
    );
    write(2, `listening on ${server.address}; clients connect to ${server.url}\n`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  },
});
