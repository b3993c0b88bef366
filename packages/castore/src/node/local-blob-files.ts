/**
 * Where the local blobs have their files.
 *
 *     blobs/<2 hex>/<62 hex>         the bytes of a blob, mode 0444, mtime 1
 *     blobs/<2 hex>/<62 hex>.bao     its outboard, once somebody asked for it
 *     blobs/<2 hex>/<62 hex>.x       the same bytes as the blob with mode 0555, for hard links to executable files
 *     tmp/<process>-<n>              what is being written; `<process>` tells whether anybody still does
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { B3Digest } from '../b3-digest.ts';

export type BlobFileKind = '' | '.bao' | '.x';

export const blobFileKinds: readonly BlobFileKind[] = ['', '.bao', '.x'];

export class LocalBlobFiles {
  readonly blobs: string;
  readonly tmp: string;
  readonly #made = new Set<string>();
  #temporaries = 0;

  private constructor(root: string) {
    this.blobs = join(root, 'blobs');
    this.tmp = join(root, 'tmp');
  }

  static async open(root: string): Promise<LocalBlobFiles> {
    const files = new LocalBlobFiles(root);
    await mkdir(files.blobs, { recursive: true });
    await mkdir(files.tmp, { recursive: true });
    return files;
  }

  path(digest: B3Digest, kind: BlobFileKind = ''): string {
    const { hex } = digest;
    return `${this.blobs}/${hex.slice(0, 2)}/${hex.slice(2)}${kind}`;
  }

  /** The same; the folder that it lies in is made. */
  pathToWrite(digest: B3Digest, kind: BlobFileKind = ''): string {
    const folder = `${this.blobs}/${digest.hex.slice(0, 2)}`;
    if (!this.#made.has(folder)) {
      mkdirSync(folder, { recursive: true });
      this.#made.add(folder);
    }
    return this.path(digest, kind);
  }

  /** A name that nobody else uses. */
  temporary(): string {
    return `${this.tmp}/${thisProcess()}-${this.#temporaries++}`;
  }
}

/** Whether the process that made a temporary file is alive; its number alone may have been given to another. */
export function isAbandoned(temporaryName: string): boolean {
  const process = /^(\d+)\.(\w+)\./.exec(temporaryName);
  return process === null || startOf(process[1] ?? '') !== process[2];
}

let named: string | undefined;

/** The number of this process, the time when it started, and some bits, since several threads share these. */
function thisProcess(): string {
  named ??= `${process.pid}.${startOf(String(process.pid))}.${Math.random().toString(36).slice(2, 10)}`;
  return named;
}

/** Field 22 of proc(5) `stat`: when a process started, in ticks since the system did. */
function startOf(pid: string): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
