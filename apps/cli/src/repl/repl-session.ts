/**
 * The prompt: reads a line, does what it says, prints what comes of it, whatever goes wrong. What it prints is what the prompt
 * of Nix 2.34 prints.
 */
import type { Caller } from '../caller.ts';
import { type Interruption, isInterruption } from '../interruption.ts';
import { reportError } from '../report-error.ts';
import { helpOfCommands } from './repl-commands.ts';
import { type ReplLine, readReplLine, replError } from './repl-line.ts';
import type { ReplPrompt } from './repl-prompt.ts';
import type { ReplStore } from './repl-store.ts';
import type { ReplWorld } from './repl-world.ts';
import { type ReplScreen, ValueCommands } from './value-commands.ts';

export type ReplSessionOptions = {
  readonly world: ReplWorld;
  readonly store: ReplStore;
  readonly prompt: ReplPrompt;
  readonly caller: Caller;
  readonly screen: ReplScreen;
  readonly showTrace: boolean;
};

type CommandLine = Extract<ReplLine, { readonly kind: 'command' }>;

export class ReplSession {
  readonly #options: ReplSessionOptions;
  readonly #valueCommands: ValueCommands;
  #showTrace: boolean;
  #isOver = false;
  /** A signal that ends all. */
  readonly #ending: { by?: Interruption } = {};

  constructor(options: ReplSessionOptions) {
    this.#options = options;
    this.#valueCommands = new ValueCommands(options);
    this.#showTrace = options.showTrace;
  }

  /** Reads lines until there are no more. Gives the exit code. */
  async run(): Promise<number> {
    const { world, caller } = this.#options;
    await this.#interruptibly(() => world.loadAll());
    while (!this.#isEnding()) {
      const { line, text } = await this.#read();
      if (line === 'end') {
        caller.write(1, '\n');
        return this.#ending.by?.exitCode ?? 0;
      }
      const again = async (): Promise<void> => {
        const read = await readReplLine(text, world.scope);
        if (read !== undefined) await this.#perform(read, text);
      };
      await this.#interruptibly(() => this.#perform(line, text), again);
      if (this.#isOver) return 0;
      caller.write(1, '\n');
    }
    return this.#ending.by?.exitCode ?? 0;
  }

  /** Whether a signal has ended it. */
  get isEnded(): boolean {
    return this.#isEnding();
  }

  #isEnding(): boolean {
    return this.#ending.by !== undefined;
  }

  /** A signal while nothing is evaluated ends everything. */
  async #read(): Promise<{ readonly line: ReplLine | 'end'; readonly text: string }> {
    const { caller, prompt, world } = this.#options;
    using _ = caller.watchInterruptions((it) => {
      this.#ending.by = it;
      prompt.close();
    });
    let last = '';
    const line = await prompt.read((text) => {
      last = text;
      return readReplLine(text, world.scope);
    });
    return { line, text: last };
  }

  /** Tells what went wrong. */
  report(error: unknown): void {
    const { caller } = this.#options;
    if (isInterruption(error)) caller.write(2, 'error: interrupted by the user\n');
    else reportError(error, { showTrace: this.#showTrace, command: 'repl', caller });
  }

  /**
   * While it runs, a signal ends what is evaluated; any but that of Ctrl-C ends everything. An evaluator that may be broken is
   * replaced.
   */
  async #interruptibly(work: () => Promise<void>, again = work): Promise<void> {
    const { caller, world, store } = this.#options;
    let interruption: Interruption | undefined;
    using _ = caller.watchInterruptions((it) => {
      interruption = it;
      if (it.signal !== 'SIGINT') this.#ending.by = it;
      world.evaluator.interrupt(it);
    });
    try {
      await world.fromImage(work, again);
    } catch (error) {
      if (interruption === undefined && world.isInDoubt) {
        await this.#doWithoutImages();
        return;
      }
      if (interruption !== undefined) world.noteInterruption();
      this.report(interruption ?? error);
      if (interruption !== undefined) await store.close();
      else if (!isSurvived(error) || !(await world.isAlive())) await this.#startAnew();
    }
  }

  /** The error may not be one of the program. */
  async #doWithoutImages(): Promise<void> {
    const { caller, world } = this.#options;
    const message =
      'What was kept of earlier evaluations does not serve this one. Everything is loaded again without it.';
    caller.write(2, `${message}\nVariables that you defined are gone; enter the last line again.\n`);
    await world.reloadWithoutImages();
  }

  async #startAnew(): Promise<void> {
    const { caller, world } = this.#options;
    caller.write(2, "The evaluator was started anew: there are no variables, ':r' loads files again.\n");
    await world.start();
  }

  async #perform(line: ReplLine, text: string): Promise<void> {
    const { world, screen, caller } = this.#options;
    if (line.kind !== 'command' || line.command.id !== 'load') world.noteUse();
    switch (line.kind) {
      case 'nothing':
        return;
      case 'wrong':
        throw line.error;
      case 'bindings':
        await world.scope.define(line.program);
        world.noteBindings(text);
        return;
      case 'expression': {
        const value = await world.evaluator.evaluate(line.program);
        caller.write(1, await world.evaluator.printEvaluated(value, { depth: 1, colour: screen.colour }));
        caller.write(1, '\n');
        world.evaluator.release(value);
        return;
      }
      case 'command':
        await this.#command(line);
    }
  }

  async #command(line: CommandLine): Promise<void> {
    const { world, caller, screen } = this.#options;
    switch (line.command.id) {
      case 'help':
        caller.write(1, helpOfCommands());
        return;
      case 'quit':
        this.#isOver = true;
        return;
      case 'reload':
        await world.reload();
        return;
      case 'load':
        await world.load(line.argument);
        return;
      case 'load-flake':
        throw replError(
          line.argument === '' ? missingFlake : "Neve does not know flakes yet; ':load' loads a file",
        );
      case 'last-loaded':
        if (world.lastLoaded === undefined) throw replError('nothing has been loaded yet');
        await screen.page(`${world.lastLoaded.join('\n')}\n`);
        return;
      case 'trace-enable':
        this.#enableTraces(line);
        return;
      default: {
        const { command, argument, program } = line;
        if (program === undefined) throw new Error(`'${command.id}' takes an expression`);
        const value = await world.evaluator.evaluate(program);
        await this.#valueCommands.run(command.id, { value, text: argument });
      }
    }
  }

  #enableTraces({ argument }: CommandLine): void {
    const wanted = { true: true, false: false, '': !this.#showTrace }[argument];
    if (wanted === undefined) throw replError(`unexpected argument '${argument}' to :te`);
    this.#showTrace = wanted;
    this.#options.caller.write(1, wanted ? 'showing error traces\n' : 'not showing error traces\n');
  }
}

const missingFlake =
  "cannot use ':load-flake' without a path specified. (Use '.' for the current working directory.)";

/** Whether the evaluator is as good as before: the program, the world or the line is to blame. */
function isSurvived(error: unknown): boolean {
  return error instanceof Error && (expectedErrors.has(error.name) || 'syscall' in error);
}

const expectedErrors: ReadonlySet<string> = new Set([
  'EvaluationError',
  'EvalIOError',
  'UsageError',
  'CommandFailure',
]);
