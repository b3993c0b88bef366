/**
 * `builtin:unpack-channel`: a folder with one entry, named by the variable `channelName`, which is the only entry of the
 * archive at `src`.
 */
import { CastoreError, Directory, pathComponent } from '@neve/castore';
import type { Node } from '@neve/castore';
import { encodeUtf8 } from '@neve/bytes';
import { streamFile } from '../node-contents.ts';
import { RealiseError } from '../realise-error.ts';
import { requireVariable } from './builtin-context.ts';
import type { BuiltinContext } from './builtin-context.ts';
import { StorePaths } from './store-paths.ts';

/** Imports an archive, compressed or not: a folder with all that is at its top. */
export type UnpackArchive = (contents: AsyncIterable<Uint8Array>, signal?: AbortSignal) => Promise<Node>;

/** The node of the output. Throws `RealiseError` (`builtin-failed`). */
export async function unpackChannel(
  context: BuiltinContext,
  unpack: UnpackArchive,
  signal?: AbortSignal,
): Promise<Node> {
  const { resolved, blobs, directories } = context;
  const channelName = requireVariable(resolved, 'channelName');
  const source = requireVariable(resolved, 'src');
  if (channelName.includes('/')) {
    throw failed(`channelName is not allowed to contain filesystem separators, got ${channelName}`);
  }
  const paths = new StorePaths({ ...context, inputs: resolved.inputs });
  const file = await paths.findFile(encodeUtf8(source), signal);
  if (file === undefined) throw failed(`failed to open archive: '${source}' is not a file`);
  const unpacked = await unpackFile(unpack(streamFile(file, blobs, signal), signal), source);
  const entries = unpacked.kind === 'directory' ? (await paths.readDirectory(unpacked, signal)).entries : [];
  const [only] = entries;
  if (only === undefined) throw failed(`channel tarball '${source}' is empty`);
  if (entries.length > 1) throw failed(`channel tarball '${source}' contains more than one file`);
  const directory = Directory.of([{ name: pathComponent(channelName), node: only.node }]);
  await directories.put(directory, signal);
  return directory.node;
}

async function unpackFile(unpacking: Promise<Node>, source: string): Promise<Node> {
  try {
    return await unpacking;
  } catch (cause) {
    if (!(cause instanceof CastoreError) || cause.code !== 'invalid-archive') throw cause;
    throw new RealiseError('builtin-failed', `failed to extract archive '${source}': ${cause.message}`, {
      cause,
    });
  }
}

function failed(message: string): RealiseError {
  return new RealiseError('builtin-failed', message);
}
