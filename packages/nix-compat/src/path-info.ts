/** What a store of Nix knows about one of its objects, apart from the contents. */
import type { Digest } from '@neve/bytes';
import type { ContentAddress } from './content-address.ts';
import type { Signature } from './signature.ts';
import type { StorePath } from './store-path.ts';

export type UnkeyedValidPathInfo = {
  readonly deriver?: StorePath | undefined;
  /** SHA-256. Nobody before version 2.4 of the serve protocol says it. */
  readonly narHash?: Digest | undefined;
  /** In the order of their base names, none twice. */
  readonly references: readonly StorePath[];
  /** In seconds since 1970; 0 where nobody knows. */
  readonly registrationTime: number;
  /** In bytes; 0 where nobody knows. */
  readonly narSize: number;
  /** Whether it was built here and needs no signature. */
  readonly ultimate: boolean;
  readonly signatures: readonly Signature[];
  readonly contentAddress?: ContentAddress | undefined;
};

export type ValidPathInfo = UnkeyedValidPathInfo & { readonly path: StorePath };
