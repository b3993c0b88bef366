/** What happens while paths are realised, for whoever shows it. */
import type { FetchEvent } from '@neve/fetch';
import type { StorePath } from '@neve/nix-compat';

export type RealiseEvent =
  /** Will be got from a cache when everything that it refers to is there. */
  | {
      readonly kind: 'substitution-planned';
      readonly storePath: StorePath;
      readonly from: string;
      /** What makes it otherwise, if that is known. */
      readonly derivation: StorePath | undefined;
      readonly narSize: number;
      /** What has to be downloaded, where the cache says so. */
      readonly downloadBytes: number | undefined;
    }
  /** It came from elsewhere meanwhile. */
  | { readonly kind: 'substitution-not-needed'; readonly storePath: StorePath }
  | { readonly kind: 'substitution-started'; readonly storePath: StorePath; readonly from: string }
  /** What has arrived since the last of these; only caches that are downloaded from tell it. */
  | { readonly kind: 'substitution-progress'; readonly storePath: StorePath; readonly bytes: number }
  | { readonly kind: 'substitution-ended'; readonly storePath: StorePath; readonly narSize: number }
  /** Something is wrong with what a cache says of a path: the next one is asked, or it is built. */
  | { readonly kind: 'substitution-failed'; readonly storePath: StorePath; readonly error: Error }
  /** A cache cannot be reached, and is asked for nothing more. */
  | { readonly kind: 'cache-failed'; readonly name: string; readonly error: Error }
  /** Another process is making the same; it is waited for. */
  | { readonly kind: 'waiting-for-lock'; readonly storePath: StorePath }
  | {
      readonly kind: 'fetch-started';
      readonly storePath: StorePath;
      /** Whose output it is, if it is one. */
      readonly derivation: StorePath | undefined;
    }
  | { readonly kind: 'fetch-event'; readonly storePath: StorePath; readonly event: FetchEvent }
  | { readonly kind: 'fetch-ended'; readonly storePath: StorePath; readonly error: Error | undefined }
  /** Will be built when its inputs are there: those that are derivations are named, built or not. */
  | {
      readonly kind: 'build-planned';
      readonly derivation: StorePath;
      readonly inputs: readonly StorePath[];
    }
  /** What was planned was there, or another build made it. */
  | { readonly kind: 'build-not-needed'; readonly derivation: StorePath }
  /** What was planned cannot be built: an input failed, or everything was given up. */
  | { readonly kind: 'build-refused'; readonly derivation: StorePath; readonly error: Error }
  | { readonly kind: 'build-started'; readonly derivation: StorePath; readonly mode: BuildMode }
  | { readonly kind: 'build-log'; readonly derivation: StorePath; readonly bytes: Uint8Array }
  | { readonly kind: 'build-ended'; readonly derivation: StorePath; readonly error: Error | undefined };

/** `check` builds what is there once more and compares. */
export type BuildMode = 'build' | 'check';
