/**
 * Where the lines of a prompt come from: a terminal with an editor, or a pipe. At a terminal keys are read as they are typed
 * only while a line is read, so that Ctrl-C is a signal while something is evaluated, and programs that are started can read.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Environment, type Caller } from '../caller.ts';
import { homeFolder } from '../cache-folder.ts';
import { History } from './editor/history.ts';
import { KeyReader } from './editor/keys.ts';
import { type LineEditorOptions, LineEditor, type ParseInput } from './editor/line-editor.ts';

export interface ReplPrompt extends Disposable {
  /** Reads lines until `parse` says what they are; `end` when there are no more. */
  read<T>(parse: ParseInput<T>): Promise<T | 'end'>;
  /** There is nothing more to read. */
  close(): void;
}

const prompt = 'nix-repl> ';
const continuation = '        > ';

/** Lines of standard input. With `_NIX_TEST_REPL_ECHO` they are printed after the prompt, for Nix's own tests. */
export class PipePrompt implements ReplPrompt {
  readonly #caller: Caller;
  readonly #isEchoed: boolean;
  readonly #reader = createInterface({ input: process.stdin, crlfDelay: Infinity, terminal: false });
  readonly #lines = this.#reader[Symbol.asyncIterator]();

  constructor(caller: Caller) {
    this.#caller = caller;
    this.#isEchoed = caller.environment['_NIX_TEST_REPL_ECHO'] === '1';
  }

  async read<T>(parse: ParseInput<T>): Promise<T | 'end'> {
    let text = '';
    while (true) {
      const next = await this.#lines.next();
      if (next.done === true) return 'end';
      const line = next.value;
      if (this.#isEchoed) this.#caller.write(1, `${text === '' ? prompt : continuation}${line}\n`);
      text += `${line}\n`;
      const parsed = await parse(text);
      if (parsed !== undefined) return parsed;
    }
  }

  close(): void {
    this.#reader.close();
  }

  [Symbol.dispose](): void {
    this.close();
    process.stdin.destroy();
  }
}

export class TerminalPrompt implements ReplPrompt {
  readonly #editor: LineEditor;
  readonly #keys = new KeyReader();
  readonly #caller: Caller;
  #isReading = false;

  constructor(caller: Caller, complete: LineEditorOptions['complete']) {
    this.#caller = caller;
    this.#editor = new LineEditor({
      screen: {
        get columns() {
          return process.stdout.columns || 80;
        },
        get rows() {
          return process.stdout.rows || 24;
        },
        write: (text) => caller.write(1, text),
      },
      history: History.open(historyPath(caller.environment)),
      ...{ prompt, continuation, complete },
      suspend: () => this.#suspend(),
    });
    process.stdin.on('data', this.#take);
    process.stdin.on('end', this.#end);
    process.stdin.pause();
    process.stdout.on('resize', this.#resized);
  }

  async read<T>(parse: ParseInput<T>): Promise<T | 'end'> {
    this.#begin();
    try {
      return await this.#editor.read(parse);
    } finally {
      this.#leave();
    }
  }

  close(): void {
    this.#editor.close();
  }

  [Symbol.dispose](): void {
    process.stdin.off('data', this.#take);
    process.stdin.off('end', this.#end);
    process.stdout.off('resize', this.#resized);
    process.stdin.destroy();
  }

  readonly #take = (bytes: Buffer): void => this.#editor.type(this.#keys.read(bytes));
  readonly #end = (): void => this.#editor.close();
  readonly #resized = (): void => {
    if (this.#isReading) this.#editor.resized();
  };

  #begin(): void {
    this.#isReading = true;
    process.stdin.setRawMode(true);
    process.stdin.resume();
    this.#caller.write(1, '\x1b[?2004h');
  }

  #leave(): void {
    this.#isReading = false;
    this.#caller.write(1, '\x1b[?2004l');
    process.stdin.pause();
    process.stdin.setRawMode(false);
  }

  async #suspend(): Promise<void> {
    this.#leave();
    await new Promise<void>((resolve) => {
      process.once('SIGCONT', resolve);
      process.kill(0, 'SIGTSTP');
    });
    this.#begin();
  }
}

/** In the XDG folder for state. */
export function historyPath(environment: Environment): string {
  const { XDG_STATE_HOME: state = '' } = environment;
  return join(state === '' ? join(homeFolder(environment), '.local/state') : state, 'neve/repl-history');
}
