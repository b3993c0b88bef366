/** What happens in a cache, for logs and metrics. */
import type { StorePath } from '@neve/nix-compat';

export type CacheEvent =
  /** A NAR is in the castore; no path has it yet. Sizes are in bytes. */
  | { readonly kind: 'nar-uploaded'; readonly narSize: number; readonly fileSize: number }
  /** A path can be had from now on. */
  | { readonly kind: 'path-added'; readonly storePath: StorePath; readonly narSize: number }
  /** `path` is what was put. */
  | { readonly kind: 'upload-refused'; readonly path: string; readonly status: number };
