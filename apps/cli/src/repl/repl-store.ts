/**
 * The store of a prompt. What realises ends for good when it is interrupted or something in it fails; the next line opens
 * another one. What is captured of its output is for the prompt to print.
 */
import { EvalIOError } from '@neve/eval';
import type { Added, StoreIO } from '@neve/eval-store/node';
import type { Caller } from '../caller.ts';
import type { RealiseSession, RealiseTask } from '../realise/realise-session.ts';

export type OpenSession = (caller: Caller) => Promise<RealiseSession>;

export class ReplStore implements AsyncDisposable {
  readonly #open: OpenSession;
  readonly #caller: Caller;
  /** Everything that evaluation has added: each session is told of it. */
  readonly #added: Added[] = [];
  #session: Promise<RealiseSession> | undefined;
  #captured: string | undefined;
  /** Nothing is built or fetched. */
  isClosed = false;

  constructor(open: OpenSession, caller: Caller) {
    this.#open = open;
    this.#caller = caller;
  }

  /** The store as evaluation sees it, whatever session there is. */
  readonly io: StoreIO = {
    readFile: async (path) => (await this.#io()).readFile(path),
    fileType: async (path) => (await this.#io()).fileType(path),
    readDirectory: async (path) => (await this.#io()).readDirectory(path),
    readLink: async (path) => (await this.#io()).readLink(path),
    hashFile: async (request) => (await this.#io()).hashFile(request),
    addPathToStore: async (request) => (await this.#io()).addPathToStore(request),
    isValidStorePath: async (path) => (await this.#io()).isValidStorePath(path),
    toStorePath: async (path) => (await this.#io()).toStorePath(path),
    realise: async (wanted) => (await this.#openIO()).realise(wanted),
    fetch: async (request) => (await this.#openIO()).fetch(request),
    storePathReferences: async (path) => (await this.#io()).storePathReferences(path),
    describe: (added) => {
      this.#added.push(added);
      // Who opens it hears of everything.
      void this.#session?.then(
        ({ io }) => io.describe(added),
        () => {},
      );
    },
  };

  /** Does it, and gives the exit code; what has gone wrong was shown. */
  async perform(task: RealiseTask): Promise<number> {
    const session = await this.#opened();
    const exitCode = await session.perform(task);
    if (exitCode !== 0) await this.close();
    return exitCode;
  }

  /** The same with what it prints as text; `undefined` where it went wrong. */
  async capture(task: RealiseTask): Promise<string | undefined> {
    this.#captured = '';
    try {
      return (await this.perform(task)) === 0 ? this.#captured : undefined;
    } finally {
      this.#captured = undefined;
    }
  }

  /** Ends the session, if there is one: its evaluation was interrupted. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await (await session?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #io(): Promise<StoreIO> {
    return (await this.#opened()).io;
  }

  async #openIO(): Promise<StoreIO> {
    if (this.isClosed) throw new EvalIOError('not-supported', 'nothing is built or fetched for a completion');
    return await this.#io();
  }

  #opened(): Promise<RealiseSession> {
    this.#session ??= this.#openSession();
    return this.#session;
  }

  async #openSession(): Promise<RealiseSession> {
    const known = this.#added.length;
    try {
      const session = await this.#open(this.#capturing());
      for (const added of this.#added.slice(0, known)) session.io.describe(added);
      return session;
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
  }

  #capturing(): Caller {
    const caller = this.#caller;
    return {
      environment: caller.environment,
      directory: caller.directory,
      sourceLink: caller.sourceLink,
      report: (event) => caller.report(event),
      wantsColour: () => caller.wantsColour(),
      readStandardInput: () => caller.readStandardInput(),
      watchInterruptions: (interrupt) => caller.watchInterruptions(interrupt),
      write: (file, text) => {
        if (file === 1 && this.#captured !== undefined) this.#captured += Buffer.from(text).toString();
        else caller.write(file, text);
      },
    };
  }
}
