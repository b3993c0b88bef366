/**
 * What completion looks up: names in the value that is evaluated, which a thread finds within a time limit, and store paths.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Caller } from '../caller.ts';
import type { NameRequest } from './attribute-names.ts';
import type { StorePathRequest } from '../store/store-path-words.ts';
import type { CompletionSources } from './complete-words.ts';

/** Whoever waits longer has written it by then. */
const timeLimitMs = 3000;

export type SourcesHost = Pick<Caller, 'environment' | 'directory'> & {
  /** Loads the store. */
  readonly storePathWords: (request: StorePathRequest) => Promise<readonly string[]>;
};

export function processSources({ environment, directory, storePathWords }: SourcesHost): CompletionSources {
  const place = { environment: { ...environment }, directory };
  return {
    attributes: async (words, prefix) => await askThread({ kind: 'attributes', words, prefix, ...place }),
    formals: async (words) => await askThread({ kind: 'formals', words, prefix: '', ...place }),
    storePaths: async (words, prefix) => {
      try {
        return await storePathWords(storePathRequest(words, prefix));
      } catch {
        // A store that cannot be opened has none.
        return [];
      }
    },
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

/** What the command line says of the store. */
function storePathRequest(words: readonly string[], prefix: string): StorePathRequest {
  return { prefix, store: valueOf('--store', words), storeDir: valueOf('--store-dir', words) };
}

function valueOf(option: string, words: readonly string[]): string | undefined {
  const whole = words.findLast((word) => word.startsWith(`${option}=`));
  const index = words.lastIndexOf(option);
  return whole?.slice(option.length + 1) ?? (index < 0 ? undefined : words[index + 1]);
}
