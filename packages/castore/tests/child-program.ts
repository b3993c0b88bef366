/**
 * Programs of tests that run in a process of their own, to be killed or to be measured: TypeScript over the sources of this
 * package, bundled so that a plain Node.js runs it. Their imports are relative to `src/node`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
// Below the workspace, so that the bundle finds the native packages.
const cache = join(here, '../../../node_modules/.cache');

/** A running child. `lines` are those that it has printed so far. */
export type Child = {
  readonly lines: readonly string[];
  /** Fulfilled by the first line, so that a kill does not hit the start; or by the end. */
  readonly started: Promise<unknown>;
  readonly ended: Promise<ChildEnd>;
  kill(): void;
};

export type ChildEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export class ChildProgram implements AsyncDisposable {
  readonly #bundle: string;

  private constructor(bundle: string) {
    this.#bundle = bundle;
  }

  /** Disposing of it removes the bundle. */
  static async bundle(contents: string): Promise<ChildProgram> {
    await mkdir(cache, { recursive: true });
    const outfile = join(await mkdtemp(join(cache, 'neve-child-')), 'child.mjs');
    await build({
      stdin: { contents, resolveDir: join(here, '../src/node'), sourcefile: 'child.ts', loader: 'ts' },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: ['source'],
      external: ['lmdb', '@napi-rs/blake-hash', 'koffi'],
      logLevel: 'error',
    });
    return new ChildProgram(outfile);
  }

  /** What it prints until it ends. Throws unless it ends with 0. */
  run(...args: readonly string[]): readonly string[] {
    const output = execFileSync(process.execPath, [this.#bundle, ...args], { encoding: 'utf8' });
    return output.trim().split('\n');
  }

  start(...args: readonly string[]): Child {
    const child = spawn(process.execPath, [this.#bundle, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode }));
    return {
      lines,
      started: Promise.race([once(reader, 'line'), ended]),
      ended,
      kill: () => child.kill('SIGKILL'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(dirname(this.#bundle), { recursive: true });
  }
}

/** What a program has stored and not removed, if it prints `+<name>` after the one and `-<name>` before the other. */
export function storedBy({ lines }: Child): readonly string[] {
  const stored = new Set<string>();
  for (const line of lines) {
    if (line.startsWith('+')) stored.add(line.slice(1));
    else stored.delete(line.slice(1));
  }
  return [...stored];
}
