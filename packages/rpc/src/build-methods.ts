/**
 * The calls of the services that build: the one of Snix, and beside it our extension with a log, failures that can be told
 * apart, and everything that a `BuildRequest` may ask for. Tvix had another answer to `DoBuild`, so that its name is not
 * served.
 */
import { boundedCodec, messageCodec } from './codec.ts';
import {
  StreamBuildRequestSchema,
  StreamBuildResponseSchema,
  SystemsRequestSchema,
  SystemsResponseSchema,
} from './generated/neve/build/v1/rpc_streambuild_pb.ts';
import { BuildRequestSchema, BuildResponseSchema } from './generated/snix/build/v1/build_pb.ts';
import type { MessageCodec, Method } from './method.ts';

export const buildServiceName = 'snix.build.v1.BuildService';
export const streamBuildServiceName = 'neve.build.v1.StreamBuildService';

/** Inputs, variables and files together are fewer. */
const requestLimits = { maxBytes: 32 * 1024 * 1024, maxFields: 262_144 } as const;

export const buildMethods: {
  readonly doBuild: Method<MessageCodec<typeof BuildRequestSchema>, MessageCodec<typeof BuildResponseSchema>>;
} = {
  doBuild: {
    service: buildServiceName,
    name: 'DoBuild',
    streams: { request: false, answer: false },
    request: boundedCodec(BuildRequestSchema, requestLimits),
    answer: messageCodec(BuildResponseSchema),
  },
};

export const streamBuildMethods: {
  readonly build: Method<
    MessageCodec<typeof StreamBuildRequestSchema>,
    MessageCodec<typeof StreamBuildResponseSchema>
  >;
  readonly systems: Method<
    MessageCodec<typeof SystemsRequestSchema>,
    MessageCodec<typeof SystemsResponseSchema>
  >;
} = {
  build: {
    service: streamBuildServiceName,
    name: 'Build',
    streams: { request: false, answer: true },
    request: boundedCodec(StreamBuildRequestSchema, requestLimits),
    answer: messageCodec(StreamBuildResponseSchema),
  },
  systems: {
    service: streamBuildServiceName,
    name: 'Systems',
    streams: { request: false, answer: false },
    request: messageCodec(SystemsRequestSchema),
    answer: messageCodec(SystemsResponseSchema),
  },
};
