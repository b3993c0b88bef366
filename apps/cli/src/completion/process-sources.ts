/**
 * What completion looks up: names in the value that is evaluated, which a thread finds within a time limit, and store paths in
 * the folder that has them.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Caller } from '../caller.ts';
import type { NameRequest } from './attribute-names.ts';
import type { CompletionSources } from './complete-words.ts';

/** Whoever waits longer has written it by then. */
const timeLimitMs = 3000;

type Place = Pick<Caller, 'environment' | 'directory'>;

export function processSources({ environment, directory }: Place): CompletionSources {
  const place = { environment: { ...environment }, directory };
  return {
    attributes: async (words, prefix) => await askThread({ kind: 'attributes', words, prefix, ...place }),
    formals: async (words) => await askThread({ kind: 'formals', words, prefix: '', ...place }),
    storePaths: async (_words, prefix) => storePaths(prefix, environment['NIX_STORE_DIR'] ?? '/nix/store'),
  };
}

/** Evaluation cannot be interrupted in its own thread. */
async function askThread(request: NameRequest): Promise<readonly string[]> {
  const script = join(__dirname, 'evaluate-main.cjs');
  const code = 'require(require("node:worker_threads").workerData.script).answerNames()';
  const thread = new Worker(code, {
    eval: true,
    workerData: { script, request },
    stdout: true,
    stderr: true,
  });
  let names: readonly string[] = [];
  thread.on('message', (better: readonly string[]) => (names = better));
  // What fails has said all it can.
  thread.on('error', () => undefined);
  const timer = setTimeout(() => void thread.terminate(), timeLimitMs);
  await new Promise((resolve) => thread.once('exit', resolve));
  clearTimeout(timer);
  return names;
}

/** By a name without its directory; with it, the shell sees them. */
function storePaths(prefix: string, storeDir: string): readonly string[] {
  if (prefix.includes('/') || prefix.length < 2) return [];
  try {
    return readdirSync(storeDir)
      .filter((name) => name.startsWith(prefix) && !name.startsWith('.'))
      .map((name) => join(storeDir, name));
  } catch {
    return [];
  }
}
