/**
 * A kind of service: blobs, directories, path infos. It is a key that carries the type of the services behind it, so
 * that `composition.get(kind)` needs no cast. Two kinds are the same if their tables are.
 */

declare const serviceOf: unique symbol;

export interface ServiceKind<S> {
  /** What a user calls it in a sentence, and the key in `composeFromUrls`: `blob`, `path info`. */
  readonly name: string;
  /** The table of a composition file that holds its instances: `blobservices`. */
  readonly table: string;
  /** Only for the compiler. */
  readonly [serviceOf]?: () => S;
}

/** Snix names its tables `blobservices`, `directoryservices` and `pathinfoservices`; so do we. */
export function serviceKind<S>(kind: { readonly name: string; readonly table: string }): ServiceKind<S> {
  return kind;
}
