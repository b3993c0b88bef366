/**
 * Compressions that are left to the programs of their names, as libarchive leaves them: bytes go in and come out through pipes,
 * and what came out counts when the program has ended well.
 */
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { CastoreError } from '../castore-error.ts';
import { throughTransform } from './through-transform.ts';

type Arguments = {
  readonly read: readonly string[];
  readonly write: (level: number | undefined) => readonly string[];
};

export type CompressionProgram = 'bzip2' | 'grzip' | 'lrzip';

const programs: Readonly<Record<CompressionProgram, Arguments>> = {
  bzip2: { read: ['-dc'], write: (level = 9) => ['-c', `-${level}`] },
  grzip: { read: ['-d'], write: () => [] },
  lrzip: { read: ['-d', '-q'], write: (level = 7) => ['-q', '-L', String(level)] },
};

type Use = {
  readonly name: CompressionProgram;
  readonly action: 'read' | 'write';
  readonly level?: number | undefined;
};

/** Of errors of a pipe that nobody reads any more. */
const unreadCodes: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/**
 * Throws `CastoreError` (`unsupported`) if there is no such program. One that fails is `io` when it writes, and a plain `Error`
 * whose message fits behind "damaged: " when it reads.
 */
export async function* throughProgram(
  source: AsyncIterable<Uint8Array>,
  { name, action, level }: Use,
): AsyncGenerator<Uint8Array, void, void> {
  const args = action === 'read' ? programs[name].read : programs[name].write(level);
  const child = spawn(name, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const ending = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  child.once('error', (cause) => {
    const what = action === 'read' ? 'reading' : 'writing';
    const hint = action === 'read' ? 'install it' : 'install it, or choose zstd';
    const problem = `${what} ${name} needs the program ${name}: ${hint}`;
    stream.destroy(new CastoreError('unsupported', problem, { cause }));
  });
  try {
    yield* throughTransform(source, stream);
    const status = await ending;
    if (status !== 0) throw failure({ name, action }, status);
  } catch (error) {
    // A program that fails does not read on; whether its pipe or its output tells first is chance.
    const isUnread = error instanceof Error && 'code' in error && unreadCodes.has(error.code);
    throw isUnread ? failure({ name, action }, await ending) : error;
  } finally {
    child.kill();
  }
}

function failure({ name, action }: Use, status: number | null): Error {
  const problem = `${name} ended with ${status === null ? 'a signal' : `the exit status ${status}`}`;
  return action === 'write' ? new CastoreError('io', problem) : new Error(problem);
}
