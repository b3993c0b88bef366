/**
 * Waits until something that an evaluation has read is not as it was. The system tells of directories in which something
 * happens; whether that is a change the reads themselves say. Where the system does not tell (too many directories, file
 * systems of other machines), it is looked at every now and then.
 */
import { type FSWatcher, existsSync, readdirSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ReadSet } from '@neve/eval-images';

export type WaitOptions = {
  /** What has changed; undefined when nothing has. */
  readonly check: () => Promise<string | undefined>;
  readonly signal: AbortSignal;
};

/** Who saves a file does several things at once. */
const settlingMs = 50;
const lookMs = 5000;
const lookOftenMs = 1000;
const maxDirectories = 4000;

/** What has changed; undefined when it was aborted. */
export async function waitForChange(
  reads: ReadSet,
  { check, signal }: WaitOptions,
): Promise<string | undefined> {
  const bell = new Bell(signal);
  using watches = new DirectoryWatches(directoriesOf(reads), () => bell.ring());
  while (!signal.aborted) {
    bell.reset();
    // What happened before they were watched is seen here.
    const change = await check();
    if (change !== undefined) return change;
    await bell.wait(watches.areComplete ? lookMs : lookOftenMs);
    if (bell.isRung && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, settlingMs));
  }
  return undefined;
}

/** Rung by what happens, and by the end. */
class Bell {
  isRung = false;
  readonly #signal: AbortSignal;
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.ring(), { once: true });
  }

  ring(): void {
    this.isRung = true;
    this.#wake?.();
  }

  reset(): void {
    this.isRung = this.#signal.aborted;
  }

  async wait(timeoutMs: number): Promise<void> {
    if (this.isRung) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

class DirectoryWatches implements Disposable {
  /** Whether all directories could be watched. */
  areComplete: boolean;
  readonly #watchers: FSWatcher[] = [];

  constructor(directories: ReadonlySet<string>, onEvent: () => void) {
    this.areComplete = directories.size <= maxDirectories;
    for (const directory of directories) {
      if (!this.areComplete) break;
      try {
        const watcher = watch(directory, onEvent);
        watcher.on('error', () => {
          this.areComplete = false;
          onEvent();
        });
        this.#watchers.push(watcher);
      } catch {
        this.areComplete = false;
      }
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
  }
}

/** Directories where a change would show: those that are there and nearest to what was read. */
function directoriesOf(reads: ReadSet): ReadonlySet<string> {
  const directories = new Set<string>();
  const add = (path: string): void => {
    let at = path;
    while (at !== '/' && !existsSync(at)) at = dirname(at);
    directories.add(at);
  };
  for (const [path, { listing }] of reads.paths) {
    add(dirname(path));
    if (listing !== undefined) add(path);
  }
  for (const { path } of reads.trees.values()) {
    add(dirname(path));
    addBelow(path, directories);
  }
  return directories;
}

function addBelow(path: string, directories: Set<string>): void {
  if (directories.size > maxDirectories) return;
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    directories.add(path);
    for (const entry of entries) if (entry.isDirectory()) addBelow(join(path, entry.name), directories);
  } catch {
    // A file, or gone: its directory is watched.
  }
}
