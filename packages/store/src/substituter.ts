/**
 * A path info service that gets what it gives from elsewhere, a binary cache: what several of them need beyond path infos
 * to be asked in a sensible order.
 */
import type { NarInfo, StorePath } from '@neve/nix-compat';
import type { PathInfoService } from './path-info-service.ts';

export interface Substituter extends PathInfoService {
  /** For messages and events: the URL without passwords. */
  readonly name: string;

  /** The lower, the sooner it is asked. */
  priority(signal?: AbortSignal): Promise<number>;

  /** Whether it likes to be asked for many paths at once. */
  wantsMassQuery(signal?: AbortSignal): Promise<boolean>;

  /** Paths that it will be asked for, with their names: for what finds none by a hash part alone. */
  expect?(storePaths: Iterable<StorePath>): void;

  /** What it says about a path, checked as far as that goes without the contents. Nothing is downloaded. */
  narInfo(hashPart: string, signal?: AbortSignal): Promise<NarInfo | undefined>;

  /**
   * Another file of it, as a log (`log/<derivation>`) or a build trace, if it has files at all. Nothing is checked, and `undefined`
   * stands for a file that is not there.
   */
  openFile?(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
}
