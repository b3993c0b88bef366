/** Does what a `Fetch` describes. Methods throw `FetchError`. */
import type { Digest } from '@neve/bytes';
import type { Node } from '@neve/castore';
import type { ContentAddress } from '@neve/nix-compat';
import type { Fetch } from './fetch.ts';

export interface Fetcher extends AsyncDisposable {
  /** When it is fulfilled, the contents are in castore and have the hash that was expected. Nothing is registered. */
  fetch(fetch: Fetch, options?: FetchOptions): Promise<Fetched>;
}

export type FetchOptions = {
  readonly onEvent?: (event: FetchEvent) => void;
  readonly signal?: AbortSignal | undefined;
};

export type FetchEvent =
  /** `totalBytes` where the server says so. */
  | { readonly kind: 'download-started'; readonly url: string; readonly totalBytes: number | undefined }
  | { readonly kind: 'downloaded'; readonly url: string; readonly bytes: number }
  | { readonly kind: 'download-ended'; readonly url: string; readonly fromCache: boolean }
  /** An attempt failed, the next is made. */
  | { readonly kind: 'retry'; readonly url: string; readonly problem: string }
  | { readonly kind: 'unpacking'; readonly url: string }
  /** Something that the user should know: a dirty working tree, a mirror that has another file. */
  | { readonly kind: 'warning'; readonly message: string };

export type Fetched = {
  readonly node: Node;
  readonly narHash: Digest;
  readonly narSize: number;
  /** What its store path follows from. */
  readonly contentAddress: ContentAddress;
  /** Where it came from at last, without credentials. */
  readonly source: string;
  /** Seconds since 1970, where the source has a time: the newest member of an archive, the date of a commit. */
  readonly lastModified: number | undefined;
  /** A URL of the same contents that cannot change, where the server told one. */
  readonly immutableUrl?: string | undefined;
  readonly git?: FetchedRevision | undefined;
};

export type FetchedRevision = {
  /** `undefined` for a working tree that is dirty. */
  readonly revision: string | undefined;
  /** The commit that a dirty working tree is based on. */
  readonly dirtyRevision: string | undefined;
  /** How many commits lead to it; `undefined` in a shallow clone. */
  readonly revisionCount: number | undefined;
  readonly ref: string | undefined;
};
