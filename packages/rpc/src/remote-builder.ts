/**
 * A builder whose castore is another one than that of whoever calls: inputs are copied there before a build, outputs from
 * there after it, and only what is missing. What comes is checked by its digest.
 *
 * What was copied there is remembered for a while, so that the builds of one closure do not ask for all of it each time.
 * Servers keep what was stored or asked for at least that long (an hour, by the lease of our daemon).
 */
import {
  BuildError,
  type BuildOptions,
  type BuildRequest,
  type BuildResult,
  type BuildService,
} from '@neve/build';
import { CastoreError, type Node, WeightedSemaphore } from '@neve/castore';
import { type Castore, NodeCopier, StoreError } from '@neve/store';

export type RemoteBuilderOptions = {
  readonly service: BuildService;
  /** The castore of the service. */
  readonly remote: Castore;
  /** Where inputs come from, and outputs go. */
  readonly local: Castore;
};

const rememberedMs = 10 * 60 * 1000;
const maxRemembered = 50_000;

/** How many nodes of a build are copied at the same time; what is below each of them is bounded by `NodeCopier`. */
const maxNodes = 8;

/** Disposing of it disposes of `service` alone. */
export function remoteBuilder(options: RemoteBuilderOptions): BuildService {
  return new RemoteBuilder(options);
}

class RemoteBuilder implements BuildService {
  readonly #service: BuildService;
  readonly #remote: Castore;
  readonly #local: Castore;
  /** When nodes were seen there, oldest first, by kind and digest. */
  readonly #seen = new Map<string, number>();

  constructor({ service, remote, local }: RemoteBuilderOptions) {
    this.#service = service;
    this.#remote = remote;
    this.#local = local;
  }

  systems(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#service.systems(signal);
  }

  async build(request: BuildRequest, options: BuildOptions = {}): Promise<BuildResult> {
    const { signal } = options;
    signal?.throwIfAborted();
    const missing = [...request.inputs.values()].filter((it) => !this.#isRemembered(it));
    await copyAll(missing, { source: this.#local, target: this.#remote, what: 'the inputs' }, signal);
    for (const node of missing) this.#remember(node);
    const result = await this.#service.build(request, options).catch((cause: unknown) => {
      // It may be that inputs are not there any more. Another attempt asks for all of them.
      if (cause instanceof BuildError && cause.code === 'io') this.#forget(request.inputs.values());
      throw cause;
    });
    const outputs = result.outputs.map(({ node }) => node);
    await copyAll(outputs, { source: this.#remote, target: this.#local, what: 'the outputs' }, signal);
    return result;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#service[Symbol.asyncDispose]();
  }

  #isRemembered(node: Node): boolean {
    const seenMs = this.#seen.get(keyOf(node));
    return seenMs !== undefined && performance.now() - seenMs < rememberedMs;
  }

  #forget(nodes: Iterable<Node>): void {
    for (const node of nodes) this.#seen.delete(keyOf(node));
  }

  #remember(node: Node): void {
    const key = keyOf(node);
    this.#seen.delete(key);
    this.#seen.set(key, performance.now());
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > maxRemembered && oldest !== undefined) this.#seen.delete(oldest);
  }
}

type Copy = { readonly source: Castore; readonly target: Castore; readonly what: string };

/** Throws `BuildError` (`io`) when all copies that were begun have ended. */
async function copyAll(
  nodes: readonly Node[],
  { source, target, what }: Copy,
  signal?: AbortSignal,
): Promise<void> {
  const copier = new NodeCopier({ source, target });
  const places = new WeightedSemaphore(maxNodes);
  let hasFailed = false;
  const copy = async (node: Node): Promise<void> => {
    const release = await places.acquire();
    try {
      if (!hasFailed) await copier.copy(node, signal);
    } catch (cause) {
      hasFailed = true;
      throw cause;
    } finally {
      release();
    }
  };
  for (const result of await Promise.allSettled(nodes.map(copy))) {
    if (result.status === 'rejected') throw copyError(result.reason, what, signal);
  }
}

function copyError(cause: unknown, what: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (!(cause instanceof StoreError) && !(cause instanceof CastoreError)) return cause;
  const problem = `${what} of a build elsewhere could not be copied: ${cause.message}`;
  return new BuildError('io', problem, { cause });
}

function keyOf(node: Node): string {
  return node.kind === 'symlink' ? node.kind : `${node.kind} ${node.digest.key}`;
}
