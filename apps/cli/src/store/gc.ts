/** `neve store gc`: removes what no root reaches. */
import { collectGarbage } from '@neve/store';
import type { Root } from '@neve/store';
import { readLinkRoots } from '@neve/store/node';
import { write } from '../output.ts';
import { TaskDisplay } from '../progress/task-display.ts';
import { formatBytes, parseAge, parseSize } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';
import { openStore, storeDirectory } from './open-store.ts';
import { removeCheckouts } from './remove-checkouts.ts';
import { openState } from './store-state.ts';
import { storeCommand } from './store-command.ts';
import { findPathInfo } from './store-object.ts';

export const gcCommand = storeCommand({
  name: 'gc',
  summary: 'remove what no root reaches',
  usage: ['gc [OPTIONS]'],
  arguments: [],
  description: `Keeps the roots (see 'neve store root') with all that they refer to, and what running commands use, and removes
everything else, or as much as the options ask for. It may be interrupted at any time.`,
  options: {
    keep: { names: ['--keep'], parameters: ['PATH'], help: 'keep this store path too (repeatable)' },
    olderThan: {
      names: ['--older-than'],
      parameters: ['AGE'],
      help: 'keep what was used within this time: 90m, 12h, 30d',
    },
    maxSize: {
      names: ['--max-size'],
      parameters: ['SIZE'],
      help: 'remove only until the store is not larger: 500M, 20G',
    },
    dryRun: { names: ['--dry-run'], parameters: [], help: 'only say what would be removed' },
  },
  async run(args, signal) {
    if (args.positional.length > 0) throw new UsageError('neve store gc takes no arguments; see --keep');
    const [olderThan, maxSize] = [args.last('olderThan'), args.last('maxSize')];
    const keepUsedWithinMs = olderThan === undefined ? undefined : parseAge(olderThan);
    const maxStoreBytes = maxSize === undefined ? undefined : parseSize(maxSize);
    await using store = await openStore(args);
    await using state = await openState(args);
    const directory = storeDirectory(args);
    const dryRun = args.has('dryRun');
    const kept = await Promise.all(args.all('keep').map((name) => findPathInfo(store, name, directory.path)));
    const readRoots = async (): Promise<readonly Root[]> => {
      const links = await readLinkRoots({
        folder: state.rootsFolder,
        store: directory,
        view: state.viewFolder,
        dryRun,
      });
      const paths = [...links.roots, ...kept].map(({ storePath }) => storePath);
      return [
        ...(await state.pins.list()).map(({ root }) => root),
        ...paths.map((storePath) => ({ kind: 'path' as const, storePath })),
      ];
    };
    using progress = new TaskDisplay(args);
    let removedPaths = 0;
    const result = await collectGarbage(
      {
        store,
        roots: readRoots,
        dryRun,
        oldestWriterMs: () => state.leases.oldestMs(),
        ...(keepUsedWithinMs !== undefined && { keepUsedWithinMs }),
        ...(maxStoreBytes !== undefined && { maxStoreBytes }),
        onEvent: (event) => {
          if (event.kind === 'path') removedPaths++;
          progress.show({ verb: 'removed', done: removedPaths, unit: 'paths' });
        },
      },
      signal,
    );
    const leftovers = dryRun ? 0 : ((await store.blobs.inventory?.removeLeftovers?.(signal)) ?? 0);
    // Asking the store would count as a use of what is there.
    const removed = new Set(result.paths.map(({ hashPart }) => hashPart));
    if (!dryRun) {
      await state.view(store).prune(async ({ hashPart }) => !removed.has(hashPart));
      await removeCheckouts(store, state);
    }
    progress[Symbol.dispose]();
    const freedBytes = result.freedBytes + leftovers;
    const paths = result.paths.map((it) => directory.print(it));
    const missing = result.missingRoots.map((it) => directory.print(it));
    if (args.has('json')) {
      const { keptPaths, garbageDirectories, garbageBlobs } = result;
      write(
        1,
        `${JSON.stringify({ paths, keptPaths, garbageDirectories, garbageBlobs, freedBytes, missingRoots: missing, dryRun })}\n`,
      );
      return;
    }
    for (const path of paths) write(1, `${path}\n`);
    for (const path of missing) write(2, `warning: the root ${path} is not in the store\n`);
    if (!args.has('quiet')) {
      write(
        2,
        `${paths.length} paths ${dryRun ? 'would be removed' : 'removed'}, ${formatBytes(freedBytes)} freed\n`,
      );
    }
  },
});
