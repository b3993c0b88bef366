/**
 * `DirectoryService` for others. A closure is checked by the putter while it arrives; a single directory may refer to what
 * is here already, if the service behind takes that.
 */
import { Directory } from '@neve/castore';
import type { B3Digest, DirectoryService } from '@neve/castore';
import { readDigest } from './blob-handlers.ts';
import { answerMany, gather, type Handler } from './handler.ts';
import { RpcError } from './rpc-error.ts';
import { directoryMethods } from './services.ts';

export function directoryHandlers(directories: DirectoryService): readonly Handler[] {
  return [
    answerMany(directoryMethods.get, async function* ({ byWhat, recursive }, signal) {
      if (byWhat.case !== 'digest') throw new RpcError('invalid-argument', 'the request names no directory');
      const digest = readDigest(byWhat.value);
      if (recursive) {
        for await (const directory of directories.closure(digest, signal)) yield directory.encoded;
        return;
      }
      const directory = await directories.get(digest, signal);
      if (directory === undefined)
        throw new RpcError('not-found', `there is no directory ${digest.toString()}`);
      yield directory.encoded;
    }),
    gather(directoryMethods.put, async (messages, signal) => ({
      rootDigest: (await putDirectories(directories, messages, signal)).bytes,
    })),
  ];
}

async function putDirectories(
  directories: DirectoryService,
  messages: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<B3Digest> {
  await using putter = directories.putClosure(signal);
  let first: Directory | undefined;
  let isClosure = false;
  for await (const message of messages) {
    const directory = Directory.decode(message);
    if (first === undefined) {
      first = directory;
      continue;
    }
    if (!isClosure) await putter.put(first);
    isClosure = true;
    await putter.put(directory);
  }
  return first === undefined || isClosure ? await putter.close() : await directories.put(first, signal);
}
