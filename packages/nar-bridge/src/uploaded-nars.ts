/**
 * NARs that somebody has put, by the hash of the file that they came in: what a narinfo that follows will name. It outlives the
 * process, so that a restart between a NAR and its narinfo loses nothing.
 *
 * A row expires. What it names may be gone from the castore before.
 */
import type { Digest } from '@neve/bytes';
import type { Node } from '@neve/castore';
import type { Compression } from '@neve/nix-compat';

export type UploadedNar = {
  /** SHA-256 of the file. */
  readonly fileHash: Digest;
  /** In bytes. */
  readonly fileSize: number;
  readonly compression: Compression;
  /** SHA-256. */
  readonly narHash: Digest;
  /** In bytes. */
  readonly narSize: number;
  readonly node: Node;
};

export interface UploadedNars extends AsyncDisposable {
  /** `undefined` for one that has expired, too. */
  find(fileHash: Digest): Promise<UploadedNar | undefined>;

  /** Durable when it is fulfilled. Milliseconds since 1970; the later time of two counts. */
  put(upload: UploadedNar, expiresAtMs: number): Promise<void>;

  /** All that have not expired, in no order. */
  list(): Promise<readonly WaitingNar[]>;
}

export type WaitingNar = { readonly upload: UploadedNar; readonly expiresAtMs: number };

export function memoryUploadedNars(now: () => number = Date.now): UploadedNars {
  const rows = new Map<string, { readonly upload: UploadedNar; readonly expiresAtMs: number }>();
  return {
    async find(fileHash) {
      const row = rows.get(fileHash.format('hex'));
      return row === undefined || row.expiresAtMs <= now() ? undefined : row.upload;
    },
    async put(upload, expiresAtMs) {
      const key = upload.fileHash.format('hex');
      const earlier = rows.get(key)?.expiresAtMs ?? 0;
      rows.set(key, { upload, expiresAtMs: Math.max(earlier, expiresAtMs) });
    },
    list: async () => [...rows.values()].filter(({ expiresAtMs }) => expiresAtMs > now()),
    async [Symbol.asyncDispose]() {
      rows.clear();
    },
  };
}
