/** What goes wrong between two programs as an error of this package, with what the other one has said beside it. */
import { NixCompatError } from '@neve/nix-compat';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { plainText } from './plain-text.ts';
import type { RemoteConnection } from './remote-connection.ts';

export async function protocolErrors<T>(
  connection: Pick<RemoteConnection, 'name' | 'stderrTail'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    const tail = plainText(await connection.stderrTail()).trim();
    const said = tail === '' ? '' : `; it said:\n${tail}`;
    if (cause.code === 'message-cut-off') {
      const problem = `${connection.name} ended the connection (${cause.message})${said}`;
      throw new NixDaemonError('io', problem, { cause });
    }
    throw new NixDaemonError('protocol', `${connection.name}: ${cause.message}${said}`, { cause });
  }
}
