/** What a daemon is asked to collect, and what it says afterwards. */
import { NixCompatError } from '../nix-compat-error.ts';
import type { StorePath } from '../store-path.ts';
import { record, texts } from '../wire/compound-codecs.ts';
import { bool, ignoredNumber, oneOf, uint64 } from '../wire/primitive-codecs.ts';
import { storePaths } from '../wire/store-codecs.ts';
import { type WireCodec, reading } from '../wire/wire-codec.ts';
import { deleteDeadSpecificReferrers } from './worker-version.ts';

export type GarbageAction = 'returnLive' | 'returnDead' | 'deleteDead' | 'deleteSpecific';

export type GarbageOptions = {
  readonly action: GarbageAction;
  /** Among which paths; all, or these and, if `deleteReferrers`, what refers to them. */
  readonly among: 'all' | { readonly paths: readonly StorePath[]; readonly deleteReferrers: boolean };
  readonly ignoreLiveness: boolean;
  /** In bytes; 2^64-1 for no limit. */
  readonly maxFreed: bigint;
};

export type GarbageResult = {
  /** Live, dead or deleted paths, as the action says; absolute, and not always store paths. */
  readonly paths: readonly string[];
  readonly bytesFreed: bigint;
};

type Among = GarbageOptions['among'];

const garbageAction: WireCodec<GarbageAction> = oneOf<GarbageAction>('action of garbage collection', [
  'returnLive',
  'returnDead',
  'deleteDead',
  'deleteSpecific',
]);

const specificPaths: WireCodec<Exclude<Among, 'all'>> = record({ paths: storePaths, deleteReferrers: bool });

const options: WireCodec<Pick<GarbageOptions, 'ignoreLiveness' | 'maxFreed'>> = record({
  ignoreLiveness: bool,
  maxFreed: uint64,
});

const removed = ignoredNumber(0);

export const garbageOptions: WireCodec<GarbageOptions> = {
  *read(from, context) {
    const action = yield* reading('action', garbageAction.read(from, context));
    let among: Among;
    if (context.features.has(deleteDeadSpecificReferrers)) {
      const wholeStore = yield* from.readNumber(0xff);
      if (wholeStore > 1)
        throw new NixCompatError('bad-message', `${wholeStore} does not tell what to collect among`);
      among = wholeStore === 1 ? 'all' : yield* specificPaths.read(from, context);
    } else {
      const paths = yield* reading('paths', storePaths.read(from, context));
      among = action !== 'deleteSpecific' && paths.length === 0 ? 'all' : { paths, deleteReferrers: false };
    }
    const rest = yield* options.read(from, context);
    for (let i = 0; i < 3; i++) yield* removed.read(from, context);
    return { action, among, ...rest };
  },
  write(to, { action, among, ...rest }, context) {
    garbageAction.write(to, action, context);
    if (context.features.has(deleteDeadSpecificReferrers)) {
      to.bool(among === 'all');
      if (among !== 'all') specificPaths.write(to, among, context);
    } else {
      storePaths.write(to, pathsForOldDaemon(action, among), context);
    }
    options.write(to, rest, context);
    for (let i = 0; i < 3; i++) to.number(0);
  },
};

function pathsForOldDaemon(action: GarbageAction, among: Among): readonly StorePath[] {
  if (among === 'all') return [];
  if (action === 'deleteSpecific' && !among.deleteReferrers) return among.paths;
  throw new NixCompatError(
    'unsupported-protocol',
    'the daemon is too old to collect garbage among given paths or to delete their referrers',
  );
}

export const garbageResult: WireCodec<GarbageResult> = {
  *read(from, context) {
    const paths = yield* reading('paths', texts.read(from, context));
    const bytesFreed = yield* from.readUint64();
    yield* from.readUint64();
    return { paths, bytesFreed };
  },
  write(to, { paths, bytesFreed }, context) {
    texts.write(to, paths, context);
    to.uint64(bytesFreed);
    to.number(0);
  },
};
