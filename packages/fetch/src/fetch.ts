/**
 * What can be fetched, described before it is done. Where the hash is known beforehand so is the store path, and nothing
 * needs to be fetched until somebody wants the contents.
 *
 *     url          one file, as it is                                   fixed by the hash of its bytes
 *     executable   one file, which is made executable                   fixed by the hash of its NAR
 *     tarball      an archive; its only entry at the top is the root    fixed by the SHA-256 of its NAR
 *     nar          a NAR file, compressed or not, unpacked              fixed by the hash of the NAR
 *     file         one file, as it is, as an input of type `file`       fixed by the SHA-256 of its NAR
 *     git          a revision of a repository                           locked by a revision, and a NAR hash where given
 *     forge        an archive that GitHub, GitLab or SourceHut makes    locked by a revision, and a NAR hash where given
 *     mercurial    a revision of a repository                           locked by a revision, and a NAR hash where given
 *     path         a path of this machine                               locked by a NAR hash where given
 */
import type { Digest } from '@neve/bytes';

export type Fetch =
  | UrlFetch
  | ExecutableFetch
  | TarballFetch
  | NarFetch
  | FileFetch
  | GitFetch
  | ForgeFetch
  | MercurialFetch
  | PathFetch;

type Named = {
  /** The name part of the store path. */
  readonly name: string;
};

export type UrlFetch = Named & {
  readonly kind: 'url';
  /** Tried in this order. `http:`, `https:`, `file:`. */
  readonly urls: readonly string[];
  /** Of the file's bytes. */
  readonly hash: Digest | undefined;
};

export type ExecutableFetch = Named & {
  readonly kind: 'executable';
  readonly urls: readonly string[];
  /** Of the NAR. */
  readonly hash: Digest;
};

export type TarballFetch = Named & {
  readonly kind: 'tarball';
  readonly urls: readonly string[];
  /** SHA-256 of the NAR. */
  readonly narHash: Digest | undefined;
};

export type NarFetch = Named & {
  readonly kind: 'nar';
  readonly urls: readonly string[];
  /** Of the NAR. */
  readonly hash: Digest;
};

export type FileFetch = Named & {
  readonly kind: 'file';
  readonly urls: readonly string[];
  /** SHA-256 of the NAR. */
  readonly narHash: Digest | undefined;
};

export type GitFetch = Named & {
  readonly kind: 'git';
  /** `file:`, `http(s):`, `ssh:`, `git:`, or what `git` takes as `user@host:path`. */
  readonly url: string;
  /** A branch or a tag, `HEAD` when there is none. */
  readonly ref: string | undefined;
  /** 40 (or 64) hexadecimal digits. */
  readonly revision: string | undefined;
  readonly shallow: boolean;
  readonly submodules: boolean;
  readonly lfs: boolean;
  readonly exportIgnore: boolean;
  /** The revision may be in no branch and no tag that is named. */
  readonly allRefs: boolean;
  readonly narHash: Digest | undefined;
};

export type ForgeFetch = Named & {
  readonly kind: 'forge';
  readonly forge: 'github' | 'gitlab' | 'sourcehut';
  /** The forge's own unless given. */
  readonly host: string | undefined;
  readonly owner: string;
  readonly repo: string;
  /** What the forge is asked for the revision of where none is given; `HEAD` unless given. */
  readonly ref: string | undefined;
  readonly revision: string | undefined;
  readonly narHash: Digest | undefined;
};

export type MercurialFetch = Named & {
  readonly kind: 'mercurial';
  /** `file:`, `http(s):` or `ssh:`. */
  readonly url: string;
  /** A branch, a bookmark or a tag. */
  readonly ref: string | undefined;
  /** 40 hexadecimal digits. */
  readonly revision: string | undefined;
  readonly narHash: Digest | undefined;
};

export type PathFetch = Named & {
  readonly kind: 'path';
  /** Absolute. */
  readonly path: string;
  readonly narHash: Digest | undefined;
};
