/**
 * Builds on a gRPC server. Our extension gives the log, all that a request can say, and failures with code and status. A
 * server of somebody else has only `DoBuild`: the first build learns it, and from then on what that call cannot say is
 * refused before anything is sent.
 */
import {
  BuildError,
  type BuildOptions,
  type BuildRequest,
  type BuildResult,
  type BuildService,
  checkBuildRequest,
} from '@neve/build';
import { plainBuildErrorOf, readFailure, streamBuildErrorOf } from '../build-failure.ts';
import {
  beyondPlainRequest,
  readBuildResponse,
  writeBuildRequest,
  writeStreamRequest,
} from '../build-messages.ts';
import { buildMethods, streamBuildMethods } from '../build-methods.ts';
import { RpcError } from '../rpc-error.ts';
import type { GrpcChannel } from './grpc-channel.ts';

export class GrpcBuilder implements BuildService {
  readonly #channel: GrpcChannel;
  readonly #disposal = new AbortController();
  /** The server does not have our extension. */
  #isPlain = false;

  /** Disposing of the builder ends its builds and closes the channel. */
  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  /** Nothing is observed, and no failed build is kept: it would be left on another machine. */
  async build(request: BuildRequest, options: BuildOptions = {}): Promise<BuildResult> {
    checkBuildRequest(request);
    const signal = AbortSignal.any([
      this.#disposal.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ]);
    signal.throwIfAborted();
    if (!this.#isPlain) {
      try {
        return await this.#buildStreaming(request, { ...options, signal });
      } catch (error) {
        if (!isUnimplemented(error)) throw streamBuildErrorOf(error);
        this.#isPlain = true;
      }
    }
    return await this.#buildPlainly(request, { ...options, signal });
  }

  /** Throws `BuildError` (`unsupported`) for a server without our extension, which cannot say it. */
  async systems(signal?: AbortSignal): Promise<readonly string[]> {
    try {
      return (await this.#channel.unary(streamBuildMethods.systems, {}, { signal })).systems;
    } catch (error) {
      if (!isUnimplemented(error)) throw streamBuildErrorOf(error);
      throw new BuildError('unsupported', 'the builder does not say which systems it builds for', {
        cause: error,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(new BuildError('io', 'the builder was closed while it built'));
    await this.#channel[Symbol.asyncDispose]();
  }

  async #buildStreaming(
    request: BuildRequest,
    { onLog, onStart, signal }: BuildOptions,
  ): Promise<BuildResult> {
    const message = writeStreamRequest(request);
    for await (const { event } of this.#channel.download(streamBuildMethods.build, message, { signal })) {
      switch (event.case) {
        case 'started':
          onStart?.();
          break;
        case 'log':
          onLog?.(event.value);
          break;
        case 'result':
          return readBuildResponse(event.value, request);
        case 'failure':
          throw readFailure(event.value);
        case undefined:
          break;
      }
    }
    throw new BuildError('io', 'the builder ended the call without a result');
  }

  async #buildPlainly(request: BuildRequest, { onStart, signal }: BuildOptions): Promise<BuildResult> {
    const unsaid = beyondPlainRequest(request);
    if (unsaid !== undefined) {
      const problem = `the builder speaks only snix.build.v1, which cannot ask for ${unsaid}`;
      throw new BuildError('unsupported', problem);
    }
    const { timeMs } = request.limits;
    using limit = timeLimit(timeMs);
    const either = AbortSignal.any([limit.signal, ...(signal === undefined ? [] : [signal])]);
    const message = writeBuildRequest(request);
    // Nobody will say when.
    onStart?.();
    try {
      const options = { signal: either, isEndless: true };
      return readBuildResponse(await this.#channel.unary(buildMethods.doBuild, message, options), request);
    } catch (error) {
      throw plainBuildErrorOf(error);
    }
  }
}

function isUnimplemented(error: unknown): boolean {
  return error instanceof RpcError && error.code === 'unimplemented';
}

function timeLimit(timeMs: number | undefined): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const end = (): void =>
    controller.abort(new BuildError('timeout', `the build ran for more than ${timeMs} ms`));
  const timer = timeMs === undefined ? undefined : setTimeout(end, Math.min(timeMs, maxTimerMs));
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Longer ones would end at once. */
const maxTimerMs = 2 ** 31 - 1;
