/**
 * `neve complete [--quoted] -- WORD…`, which the scripts for shells call. The first line says what the shell completes by
 * itself and whether the word goes on; each other line is a candidate:
 *
 *     none|files|directories [open]
 *     <the whole word><tab><description>
 *
 * With `--quoted` the words are as they were written, with the quotes of the shell. What goes wrong is not said: somebody is
 * in the middle of a word.
 */
import type { Caller } from '../caller.ts';
import type { CommandTable } from '../command-description.ts';
import { completeWords } from './complete-words.ts';
import { type SourcesHost, processSources } from './process-sources.ts';
import { unquoted } from './unquoted.ts';

export type CompleteHost = {
  readonly caller: Pick<Caller, 'directory' | 'environment' | 'write'>;
  readonly storePathWords: SourcesHost['storePathWords'];
  readonly table: () => CommandTable;
};

export async function runComplete(argv: readonly string[], host: CompleteHost): Promise<void> {
  const { caller, storePathWords, table } = host;
  const { environment, directory } = caller;
  const start = argv.indexOf('--');
  const words = argv.slice(start + 1);
  const isQuoted = argv.slice(0, Math.max(start, 0)).includes('--quoted');
  const completion = await completeWords(isQuoted ? words.map(unquoted) : words, {
    table: table(),
    sources: processSources({ environment, directory, storePathWords }),
  });
  const lines = completion.candidates.map(({ text, description }) => `${text}\t${description}\n`);
  caller.write(1, `${completion.files}${completion.isOpen ? ' open' : ''}\n${lines.join('')}`);
}
