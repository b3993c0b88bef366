/**
 * The running side of a configuration. A service is started when it is first asked for, after those that it refers to;
 * every named instance is started once and shared by all who refer to it, whoever asks first. A start that failed is
 * forgotten, so that asking again tries again.
 *
 * The composition owns what it started. Disposing of it waits for what is being started, then closes everything in the
 * opposite order, dependants before what they depend on, one at a time, and goes on when one of them fails.
 */
import { redactUrlsIn } from '@neve/diagnostics';
import { printPath } from './composition-config.ts';
import type { CheckedOption, CompositionConfig, Instance, Reference } from './composition-config.ts';
import { CompositionError } from './composition-error.ts';
import { hintFor } from './unknown-name.ts';
import type { BuildContext } from './registry.ts';
import type { ServiceKind } from './service-kind.ts';

/** Puts something around a service that was started: spans, counters. */
export type ServiceWrapper<S> = (service: S, context: BuildContext) => S;

export class Composition implements AsyncDisposable {
  readonly config: CompositionConfig;
  readonly #wrappers = new Map<string, ServiceWrapper<unknown>>();
  /** Started or being started. */
  readonly #started = new Map<Instance, Promise<unknown>>();
  /** In the order of creation, with their paths; a type may hand on a service of another instance as its own. */
  readonly #owned = new Map<unknown, string>();
  readonly #stop = new AbortController();
  #disposal: Promise<void> | undefined;

  constructor(config: CompositionConfig) {
    this.config = config;
  }

  /**
   * The service of this name. Any name may be asked for, so that a file can hold several views of the same inner services.
   * Throws `CompositionError`: `unknown-instance`, `build-failed`, `disposed`.
   */
  async get<S>(kind: ServiceKind<S>, name = 'root'): Promise<S> {
    const instance = this.config.find(kind, name);
    if (instance === undefined) {
      throw this.#error({
        code: 'unknown-instance',
        path: printPath([kind.table, name]),
        message: `there is no ${kind.name} service named ${JSON.stringify(name)}`,
        hint: hintFor(name, this.config.names(kind)),
      });
    }
    // The kind of an instance is the kind of its type, whose `build` gives an S.
    return (await this.#start(instance)) as S;
  }

  /** One wrapper a kind, set before the first service is asked for. What it returns is used, and not disposed of. */
  wrap<S>(kind: ServiceKind<S>, wrapper: ServiceWrapper<S>): this {
    // Only services of this kind are handed to it.
    this.#wrappers.set(kind.table, wrapper as ServiceWrapper<unknown>);
    return this;
  }

  /** Throws `CompositionError` with code `dispose-failed`, whose cause has all errors. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  #start(instance: Instance): Promise<unknown> {
    if (this.#stop.signal.aborted) return Promise.reject(this.#disposedError(instance));
    const known = this.#started.get(instance);
    if (known !== undefined) return known;
    const starting = this.#build(instance);
    this.#started.set(instance, starting);
    starting.catch(() => this.#started.delete(instance));
    return starting;
  }

  async #build(instance: Instance): Promise<unknown> {
    const { signal } = this.#stop;
    const path = printPath(instance.path);
    const options = await Promise.all(
      [...instance.options].map(async ([name, it]) => [name, await this.#valueOf(it)] as const),
    );
    if (signal.aborted) throw this.#disposedError(instance);
    const context = { instanceName: instance.name, path, signal };
    const values = Object.fromEntries(Object.keys(instance.type.options).map((name) => [name, undefined]));
    try {
      const service = await instance.type.build({ ...values, ...Object.fromEntries(options) }, context);
      if (!this.#owned.has(service)) this.#owned.set(service, path);
      return this.#wrappers.get(instance.kind.table)?.(service, context) ?? service;
    } catch (error) {
      const subject = `the ${instance.kind.name} service of type ${JSON.stringify(instance.type.type)}`;
      const message = `${subject} could not be started: ${messageOf(error)}`;
      throw this.#error({ code: 'build-failed', path, message }, error);
    }
  }

  async #valueOf(it: CheckedOption): Promise<unknown> {
    if (it.kind === 'value') return it.value;
    if (it.kind === 'reference') return this.#follow(it.reference);
    return Promise.all(
      it.entries.map(async ({ priority, reference }) => ({
        priority,
        service: await this.#follow(reference),
      })),
    );
  }

  /** The service that a reference means. Errors tell the way to what failed. */
  async #follow(reference: Reference): Promise<unknown> {
    const instance = this.config.resolve(reference);
    if (instance === undefined) throw new Error('Bug: a checked configuration has a reference to nothing');
    try {
      return await this.#start(instance);
    } catch (error) {
      // An anonymous instance has the path of the reference already.
      if (!(error instanceof CompositionError) || reference.target.kind === 'anonymous') throw error;
      if (error.code === 'disposed') throw error;
      const [problem] = error.problems;
      const message = problem === undefined ? '' : `${problem.path}: ${problem.message}`;
      throw this.#error({ code: 'build-failed', path: printPath(reference.path), message }, error);
    }
  }

  async #dispose(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#started.values());
    const errors: Error[] = [];
    for (const [service, path] of [...this.#owned].toReversed()) {
      try {
        await close(service);
      } catch (error) {
        errors.push(new Error(`${path}: ${messageOf(error)}`, { cause: error }));
      }
    }
    this.#owned.clear();
    if (errors.length === 0) return;
    const message = `not everything could be closed: ${errors.map((it) => it.message).join('; ')}`;
    throw this.#error({ code: 'dispose-failed', path: '', message }, new AggregateError(errors, message));
  }

  #disposedError({ path }: Instance): CompositionError {
    const message = 'the composition of services has been closed';
    return this.#error({ code: 'disposed', path: printPath(path), message });
  }

  #error(problem: CompositionError['problems'][number], cause?: unknown): CompositionError {
    const { source } = this.config;
    return new CompositionError(problem, {
      ...(cause === undefined ? {} : { cause }),
      ...(source === undefined ? {} : { source }),
    });
  }
}

async function close(service: unknown): Promise<void> {
  if (typeof service !== 'object' || service === null) return;
  if (Symbol.asyncDispose in service) await (service as AsyncDisposable)[Symbol.asyncDispose]();
  else if (Symbol.dispose in service) (service as Disposable)[Symbol.dispose]();
}

function messageOf(error: unknown): string {
  return redactUrlsIn(error instanceof Error ? error.message : String(error));
}
