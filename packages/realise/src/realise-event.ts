/** What happens while paths are realised, for whoever shows it. */
import type { FetchEvent } from '@neve/fetch';
import type { StorePath } from '@neve/nix-compat';

export type RealiseEvent =
  | { readonly kind: 'substitution-started'; readonly storePath: StorePath; readonly from: string }
  | { readonly kind: 'substitution-ended'; readonly storePath: StorePath; readonly narSize: number }
  /** Something is wrong with what a cache says of a path: the next one is asked, or it is built. */
  | { readonly kind: 'substitution-failed'; readonly storePath: StorePath; readonly error: Error }
  /** A cache cannot be reached, and is asked for nothing more. */
  | { readonly kind: 'cache-failed'; readonly name: string; readonly error: Error }
  /** Another process is making the same; it is waited for. */
  | { readonly kind: 'waiting-for-lock'; readonly storePath: StorePath }
  | { readonly kind: 'fetch-started'; readonly storePath: StorePath }
  | { readonly kind: 'fetch-event'; readonly storePath: StorePath; readonly event: FetchEvent }
  | { readonly kind: 'fetch-ended'; readonly storePath: StorePath }
  | { readonly kind: 'build-started'; readonly derivation: StorePath; readonly mode: BuildMode }
  | { readonly kind: 'build-log'; readonly derivation: StorePath; readonly bytes: Uint8Array }
  | { readonly kind: 'build-ended'; readonly derivation: StorePath; readonly error: Error | undefined };

/** `check` builds what is there once more and compares. */
export type BuildMode = 'build' | 'check';
