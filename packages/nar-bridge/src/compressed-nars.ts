/**
 * Compressed NARs that are files already, so that an answer never waits for compression. A narinfo names such a file when it
 * is there; otherwise it names the NAR itself, and the file is made meanwhile.
 *
 * A narinfo that named a file is kept by clients for weeks. So a file that `find` gave once can be had from `open` for as
 * long as the path is in the store, made again if need be, with the same bytes.
 */
import type { Digest } from '@neve/bytes';
import type { Compression } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';

export type CompressedNar = {
  /** Absolute path of a file of this machine, complete and durable. */
  readonly file: string;
  /** SHA-256 of the file. */
  readonly fileHash: Digest;
  /** In bytes. */
  readonly fileSize: number;
  /** Not `none`. */
  readonly compression: Compression;
};

export interface CompressedNars {
  /** The file for a path's NAR, if there is one now. It is asked for every narinfo that is made, so it must be quick. */
  find(pathInfo: PathInfo, signal?: AbortSignal): Promise<CompressedNar | undefined>;

  /** The file whose SHA-256 this is, in nixbase32. */
  open(fileHash: string, signal?: AbortSignal): Promise<CompressedNar | undefined>;

  /** Says that a file would be good to have. Returns at once; what cannot be queued is forgotten. */
  request(pathInfo: PathInfo): void;
}
