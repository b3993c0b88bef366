/**
 * What is known of a store path: its contents as a castore node, the NAR that these give, what it refers to, where it
 * comes from and who vouches for it.
 */
import type { Digest } from '@neve/bytes';
import type { Node } from '@neve/castore';
import type { ContentAddress, Signature, StorePath } from '@neve/nix-compat';

export type PathInfo = {
  readonly storePath: StorePath;
  readonly node: Node;
  /** Sorted by base name, without repetition; the path itself may be among them. */
  readonly references: readonly StorePath[];
  /** Of the contents as a NAR, in bytes. */
  readonly narSize: number;
  /** SHA-256 of the contents as a NAR. */
  readonly narHash: Digest;
  /** Over the fingerprint of the path info; one for each key. */
  readonly signatures: readonly Signature[];
  /** The derivation that built it. */
  readonly deriver: StorePath | undefined;
  /** How its name follows from its contents, where it does. */
  readonly contentAddress: ContentAddress | undefined;
};
