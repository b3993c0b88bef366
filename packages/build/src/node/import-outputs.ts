/**
 * Takes what a command has made into the castore. Everything is dead that could change it, but what is there is a
 * stranger's work: folders on the way may have become links, files may be unreadable, and there may be what no store keeps.
 */
import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import {
  type BlobService,
  CastoreError,
  type DirectoryService,
  ReferenceScanner,
  type TreeObserver,
  ingestEntries,
  scanNode,
} from '@neve/castore';
import { fileSystemEntries } from '@neve/castore/node';
import { BuildError } from '../build-error.ts';
import type { BuildRequest } from '../build-request.ts';
import type { BuildOutput } from '../build-service.ts';
import type { BuildRoot } from './build-root.ts';
import { NeedleObserver, observeAll } from './output-observer.ts';

export type ImportServices = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** The script of a thread that reads trees. */
  readonly readerScript?: URL | undefined;
};

export type ImportOptions = {
  readonly root: BuildRoot;
  readonly observe?: ((output: string) => TreeObserver | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Throws `BuildError`: `output-missing`, `invalid-output`, `io`. */
export async function importOutputs(
  { outputs, scratchPaths, needles }: BuildRequest,
  services: ImportServices,
  options: ImportOptions,
): Promise<readonly BuildOutput[]> {
  for (const output of outputs) checkThere(output, scratchPaths, options.root);
  const imported: BuildOutput[] = [];
  for (const output of outputs) {
    options.signal?.throwIfAborted();
    const path = options.root.hostPath(output);
    // Whoever is not root reads only what it lets itself read.
    if (process.getuid?.() !== 0) makeReadable(Buffer.from(path));
    imported.push(await importOutput(output, needles, { ...services, ...options, path }));
  }
  return imported;
}

/** No link on the way leads out of the scratch path. */
function checkThere(output: string, scratchPaths: readonly string[], root: BuildRoot): void {
  const components = output.split('/');
  for (let length = 1; length <= components.length; length++) {
    const path = components.slice(0, length).join('/');
    if (!scratchPaths.some((it) => path.startsWith(`${it}/`))) continue;
    const stats = lstatSync(root.hostPath(path), { throwIfNoEntry: false });
    if (stats !== undefined && (length === components.length || stats.isDirectory())) continue;
    throw new BuildError(
      'output-missing',
      `the command ended well, but it did not make its output '/${output}'`,
    );
  }
}

/** Names are bytes: as text, some could not be found again. */
function makeReadable(path: Buffer): void {
  const stats = lstatSync(path);
  if (stats.isFile() && (stats.mode & 0o400) === 0) chmodSync(path, stats.mode | 0o400);
  if (!stats.isDirectory()) return;
  if ((stats.mode & 0o500) !== 0o500) chmodSync(path, stats.mode | 0o500);
  for (const name of readdirSync(path, { encoding: 'buffer' }))
    makeReadable(Buffer.concat([path, slash, name]));
}

const slash = Buffer.from('/');

async function importOutput(
  output: string,
  needles: readonly Uint8Array[],
  options: ImportServices & ImportOptions & { readonly path: string },
): Promise<BuildOutput> {
  const { blobs, directories, readerScript, observe, signal, path } = options;
  const scanner = new ReferenceScanner(needles);
  const needleObserver = new NeedleObserver(scanner);
  const own = observe?.(output);
  const observer = own === undefined ? needleObserver : observeAll([needleObserver, own]);
  try {
    const entries = fileSystemEntries(path, {
      blobs,
      observer,
      ...(readerScript !== undefined && { readerScript }),
      ...(signal !== undefined && { signal }),
    });
    const node = await ingestEntries(directories, entries, signal);
    if (needleObserver.isIncomplete) await scanNode(node, scanner, { blobs, directories });
    return { node, needles: scanner.found };
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    const code = cause.code === 'unsupported' || cause.code === 'invalid-name' ? 'invalid-output' : 'io';
    throw new BuildError(code, `the output '/${output}' cannot be imported: ${cause.message}`, { cause });
  }
}
