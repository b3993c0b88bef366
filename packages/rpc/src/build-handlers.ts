/**
 * A build service for others: as Snix has it, and with our extension. A build ends with its call: a caller that goes away
 * leaves nothing running.
 */
import type { BuildOptions, BuildRequest, BuildResult, BuildService } from '@neve/build';
import { WeightedSemaphore, abortable } from '@neve/castore';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type BuildEvent, BuildEvents } from './build-events.ts';
import { writeFailure } from './build-failure.ts';
import { readBuildRequest, readStreamRequest, writeBuildResponse } from './build-messages.ts';
import { buildMethods, streamBuildMethods } from './build-methods.ts';
import { type BuildPolicy, admitRequest } from './build-policy.ts';
import type {
  StreamBuildRequest,
  StreamBuildResponseSchema,
} from './generated/neve/build/v1/rpc_streambuild_pb.ts';
import { answer, answerMany, type Handler } from './handler.ts';

const defaultMaxBuilds = 16;

type Build = (request: BuildRequest, options: BuildOptions) => Promise<BuildResult>;

export function buildHandlers(service: BuildService, policy: BuildPolicy = {}): readonly Handler[] {
  const builds = new WeightedSemaphore(policy.maxBuilds ?? defaultMaxBuilds);
  const build: Build = async (request, options) => {
    const admitted = admitRequest(request, policy);
    const release = await acquire(builds, options.signal);
    try {
      return await service.build(admitted, options);
    } finally {
      release();
    }
  };
  return [
    answer(buildMethods.doBuild, async (message, signal) =>
      writeBuildResponse(await build(readBuildRequest(message), { signal })),
    ),
    answerMany(streamBuildMethods.build, (message, signal) => streamBuild(build, message, signal)),
    answer(streamBuildMethods.systems, async (_, signal) => ({
      systems: [...(await service.systems(signal))],
    })),
  ];
}

type StreamedMessage = MessageInitShape<typeof StreamBuildResponseSchema>;
type StreamedEvent = NonNullable<StreamedMessage['event']>;

/** What a build says while it runs, and how it ended. */
async function* streamBuild(
  build: Build,
  message: StreamBuildRequest,
  signal: AbortSignal,
): AsyncGenerator<StreamedMessage, void, void> {
  try {
    for await (const event of eventsOf(build, readStreamRequest(message), signal)) {
      yield { event: writeEvent(event) };
    }
  } catch (error) {
    const failure = writeFailure(error);
    if (failure === undefined) throw error;
    yield { event: { case: 'failure', value: failure } };
  }
}

/** Whoever does not wait any more gives the permit back when it comes. */
async function acquire(builds: WeightedSemaphore, signal: AbortSignal | undefined): Promise<() => void> {
  const permit = builds.acquire();
  try {
    return await abortable(permit, signal);
  } catch (cause) {
    void permit.then((release) => release());
    throw cause;
  }
}

/** When it ends, in whatever way, so has the build. */
async function* eventsOf(
  build: Build,
  request: BuildRequest,
  signal: AbortSignal,
): AsyncGenerator<BuildEvent, void, void> {
  const abortion = new AbortController();
  const events = new BuildEvents({ onOverflow: (error) => abortion.abort(error) });
  const ended = build(request, {
    onStart: () => events.start(),
    onLog: (bytes) => events.log(bytes),
    signal: AbortSignal.any([signal, abortion.signal]),
  }).then(
    (result) => events.end({ result }),
    (error: unknown) => events.end({ error }),
  );
  try {
    yield* events.read();
  } finally {
    abortion.abort();
    await ended;
  }
}

function writeEvent(event: BuildEvent): StreamedEvent {
  switch (event.kind) {
    case 'started':
      return { case: 'started', value: {} };
    case 'log':
      return { case: 'log', value: event.bytes };
    case 'result':
      return { case: 'result', value: writeBuildResponse(event.result) };
    case 'alive':
      return { case: undefined };
  }
}
