/**
 * Objects of a git repository in the order in which they are asked for, by one `git cat-file --batch`:
 *
 *     answer = id " " type " " size "\n" contents "\n"  |  id " missing\n"
 *
 * With `--buffer` git answers when its buffer is full or its input ends, so all ids are given without waiting for answers.
 */
import { Readable } from 'node:stream';
import { concatBytes } from '@neve/bytes';
import { CastoreError } from '../castore-error.ts';
import type { GitProcess, GitRepository } from './git-repository.ts';

const newline = 0x0a;
/** Id, type and size have no more. */
const maxHeaderLength = 128;

export class GitObjects implements AsyncDisposable {
  readonly #repository: GitRepository;
  readonly #process: GitProcess;
  readonly #output: AsyncIterator<Buffer>;
  #piece: Uint8Array = new Uint8Array(0);

  /** `ids` are those of all `next` calls. */
  constructor(repository: GitRepository, ids: Iterable<string>, signal?: AbortSignal) {
    this.#repository = repository;
    this.#process = repository.start(['cat-file', '--batch', '--buffer'], { signal });
    this.#output = this.#process.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    Readable.from(lines(ids)).pipe(this.#process.stdin);
  }

  /** The size of the next object, whose contents must be read before the one after it. Throws `CastoreError`. */
  async next(id: string): Promise<number> {
    const header = await this.#line(id);
    const [found, type, size] = header.split(' ');
    if (found === id && type === 'missing') throw this.#missing(id);
    if (found !== id || type !== 'blob') throw this.#repository.failure(`the object ${id} is '${header}'`);
    return Number(size);
  }

  /** `size` is what `next` gave. A piece is valid until the next one is asked for. */
  async *contents(id: string, size: number): AsyncGenerator<Uint8Array, void, void> {
    for (let left = size; left > 0;) {
      if (this.#piece.length === 0) await this.#fill(id);
      const part = this.#piece.subarray(0, left);
      this.#piece = this.#piece.subarray(part.length);
      left -= part.length;
      yield part;
    }
    if ((await this.#line(id)) !== '')
      throw this.#repository.failure(`the object ${id} is longer than announced`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  async #line(id: string): Promise<string> {
    const pieces: Uint8Array[] = [];
    for (let length = 0; length < maxHeaderLength;) {
      if (this.#piece.length === 0) await this.#fill(id);
      const end = this.#piece.indexOf(newline);
      const part = end === -1 ? this.#piece : this.#piece.subarray(0, end);
      this.#piece = this.#piece.subarray(end === -1 ? part.length : end + 1);
      pieces.push(part);
      if (end !== -1) return Buffer.from(concatBytes(pieces)).toString('latin1');
      length += part.length;
    }
    throw this.#repository.failure(`git gave no answer for the object ${id}`);
  }

  async #fill(id: string): Promise<void> {
    const next: IteratorResult<Buffer, unknown> = await this.#output.next();
    if (next.done !== true) {
      this.#piece = next.value;
      return;
    }
    await this.#process.exitCode();
    const { complaint } = this.#process;
    throw this.#repository.failure(`the object ${id} is damaged${complaint === '' ? '' : `: ${complaint}`}`);
  }

  #missing(id: string): CastoreError {
    return new CastoreError(
      'not-found',
      `the git repository '${this.#repository.path}' has no object ${id}; run 'git fsck' in it, or fetch it whole`,
    );
  }
}

function* lines(ids: Iterable<string>): Generator<string, void, void> {
  for (const id of ids) yield `${id}\n`;
}
