/**
 * The playground's evaluator for other pages, documentation for example: a client of the worker, and highlighting that
 * needs no editor. A page's bundler must know workers and `?url` (Vite does); nothing is loaded before it is asked for.
 *
 *     const nix = createNixEvaluator();
 *     const result = await nix.evaluate('1 + 1');   // { value: '2' }
 *     element.append(highlightNix('1 + 1'));
 */
import { highlightCode } from '@lezer/highlight';
import { EvaluationClient } from './evaluation-client.ts';
import { nixClasses } from './nix-language/highlighting.ts';
import { parser } from './nix-language/parser.ts';
import type { Files } from './protocol.ts';

export type { Files } from './protocol.ts';

/** A value as `nix-instantiate --eval --strict` prints it, or an error as the command shows it. */
export type SnippetResult = { readonly value: string } | { readonly error: string };

export interface NixEvaluator {
  /**
   * Evaluates a program, and everything inside of its value. `files` are what it can import, as `./name`. What runs longer
   * than `timeoutMs` (10 seconds, without it) is stopped, which is an error.
   */
  evaluate(source: string, options?: { files?: Files; timeoutMs?: number }): Promise<SnippetResult>;
}

const defaultTimeoutMs = 10_000;
const mainFile = 'main.nix';

/**
 * The worker starts with the first evaluation; programs are evaluated one after the other. A page whose bundler cannot
 * build the worker gives its own way to start one that was built.
 */
export function createNixEvaluator(start: () => Worker = startWorker): NixEvaluator {
  const client = new EvaluationClient(start);
  let last: Promise<unknown> = Promise.resolve();
  return {
    evaluate(source, { files = {}, timeoutMs = defaultTimeoutMs } = {}) {
      const evaluated = last.then(
        async () => await evaluateWithin(client, { ...files, [mainFile]: source }, timeoutMs),
      );
      last = evaluated;
      return evaluated;
    },
  };
}

/** The program as text with classes: `nix-keyword`, `nix-string` and so on (see style.css for their colours). */
export function highlightNix(source: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  highlightCode(
    source,
    parser.parse(source),
    nixClasses,
    (text, classes) => {
      if (classes === '') {
        fragment.append(text);
        return;
      }
      const span = document.createElement('span');
      span.className = classes;
      span.textContent = text;
      fragment.append(span);
    },
    () => fragment.append('\n'),
  );
  return fragment;
}

async function evaluateWithin(
  client: EvaluationClient,
  files: Files,
  timeoutMs: number,
): Promise<SnippetResult> {
  const timer = setTimeout(() => client.stop(), timeoutMs);
  try {
    const evaluation = await client.ask({ kind: 'evaluate', files, main: mainFile, strict: true });
    if ('problem' in evaluation) return { error: evaluation.problem.rendered };
    return { value: evaluation.printed ?? '' };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Written out here, so that bundlers see what the worker is. */
export function startWorker(): Worker {
  return new Worker(new URL('./worker/evaluation-worker.ts', import.meta.url), {
    type: 'module',
    name: 'nix',
  });
}
