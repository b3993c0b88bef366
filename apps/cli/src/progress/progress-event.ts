/**
 * What happens while something takes time, for whoever shows it: plain data, since it comes from other scripts and other
 * processes. Paths are printed with their store directory, sizes are in bytes.
 *
 * The daemon's clients get the same (`DaemonProgress`), with fields of the same names.
 */
import type { DaemonProgress } from '@neve/rpc/node/daemon-client';

type OfPath<Kind extends string> = { readonly kind: Kind; readonly storePath: string };

type WithDetail<Kind extends string> = { readonly kind: Kind; readonly detail: string };

/** `detail` is the URL. What evaluation downloads is for no store path that is known beforehand. */
type OfDownload<Kind extends string> = WithDetail<Kind> & { readonly storePath?: string };

export type RealiseProgress =
  | { readonly kind: 'evaluation-started' | 'evaluation-ended' }
  /** What was asked for is begun, and has ended. */
  | { readonly kind: 'work-started' | 'work-ended' }
  /** What will be done, in lines, as a user reads it. */
  | WithDetail<'plan'>
  | (OfPath<'substitution-planned'> & {
      /** The cache. */
      readonly detail: string;
      readonly narSize: number;
      readonly totalBytes?: number;
      /** What else makes it. */
      readonly derivation?: string;
    })
  /** `detail` is the cache. */
  | (OfPath<'substitution-started'> & WithDetail<'substitution-started'>)
  /** `bytes` have come since the last of these. */
  | (OfPath<'substitution-progress'> & { readonly bytes: number })
  | OfPath<'substitution-ended' | 'substitution-not-needed'>
  | (OfPath<'substitution-failed'> & WithDetail<'substitution-failed'>)
  | WithDetail<'cache-failed'>
  | OfPath<'waiting-for-lock'>
  | (OfPath<'fetch-started'> & { readonly derivation?: string })
  | OfPath<'fetch-ended'>
  | (OfPath<'fetch-failed'> & WithDetail<'fetch-failed'>)
  | (OfDownload<'download-started'> & { readonly totalBytes?: number })
  /** `bytes` have come in all. */
  | (OfDownload<'downloaded'> & { readonly bytes: number })
  | OfDownload<'download-ended' | 'unpacking'>
  | WithDetail<'warning'>
  | (OfPath<'build-planned'> & {
      readonly inputs: readonly string[];
      /** How long earlier builds took. */
      readonly expectedMs?: number;
    })
  | OfPath<'build-not-needed'>
  | (OfPath<'build-refused'> & WithDetail<'build-refused'>)
  /** `check-started` builds what is there once more. */
  | OfPath<'build-started' | 'check-started'>
  | (OfPath<'build-log'> & { readonly log: Uint8Array })
  | OfPath<'build-succeeded'>
  | (OfPath<'build-failed'> & WithDetail<'build-failed'>)
  /** What was asked for cannot be made, as a user reads it. */
  | WithDetail<'failure'>;

/** How far one thing is that has no parts worth showing: a copy, a push, a check of everything. */
export type TaskProgress = {
  readonly kind: 'task-progress';
  /** What is done, as in `copied`. */
  readonly verb: string;
  readonly done: number;
  /** As far as it is known. */
  readonly total?: number;
  /** What is counted, as in `paths`. */
  readonly unit: string;
  readonly bytes?: number;
  readonly totalBytes?: number;
};

export type ProgressEvent = RealiseProgress | TaskProgress;

/** Which fields the kinds have that cannot be without. */
const required: Partial<Readonly<Record<DaemonProgress['kind'], readonly (keyof DaemonProgress)[]>>> = {
  plan: ['detail'],
  'substitution-planned': ['storePath', 'detail'],
  'substitution-started': ['storePath', 'detail'],
  'substitution-progress': ['storePath'],
  'substitution-ended': ['storePath'],
  'substitution-not-needed': ['storePath'],
  'substitution-failed': ['storePath', 'detail'],
  'cache-failed': ['detail'],
  'waiting-for-lock': ['storePath'],
  'fetch-started': ['storePath'],
  'fetch-ended': ['storePath'],
  'fetch-failed': ['storePath', 'detail'],
  'download-started': ['detail'],
  downloaded: ['detail'],
  'download-ended': ['detail'],
  unpacking: ['detail'],
  warning: ['detail'],
  'build-planned': ['storePath'],
  'build-not-needed': ['storePath'],
  'build-refused': ['storePath', 'detail'],
  'build-started': ['storePath'],
  'check-started': ['storePath'],
  'build-log': ['storePath'],
  'build-succeeded': ['storePath'],
  'build-failed': ['storePath', 'detail'],
  failure: ['detail'],
};

/** `undefined` for what lacks something: a daemon of another version says it otherwise. */
export function progressFromDaemon(progress: DaemonProgress): RealiseProgress | undefined {
  const isWhole = (required[progress.kind] ?? []).every((field) => progress[field] !== undefined);
  if (!isWhole) return undefined;
  // Numbers, lists and bytes that are empty were not sent.
  const defaults = { bytes: 0, narSize: 0, inputs: [], log: new Uint8Array() };
  // It has every field that its kind must have.
  return { ...defaults, ...progress } as RealiseProgress;
}

/** The name in a printed path: `hello-2.12` of `/nix/store/…-hello-2.12.drv`. */
export function nameOfPath(storePath: string): string {
  const baseName = storePath.slice(storePath.lastIndexOf('/') + 1);
  return baseName.replace(/^[0-9a-z]{32}-/, '').replace(/\.drv$/, '');
}
