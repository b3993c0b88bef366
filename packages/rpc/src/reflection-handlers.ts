/**
 * The reflection protocol of gRPC, in both of its versions, which differ in their names only: clients ask which services
 * there are, and for the schema of a file or a symbol. The schema comes from the generated descriptors.
 */
import { toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { messageCodec } from './codec.ts';
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
  file_grpc_reflection_v1_reflection,
  type ServerReflectionRequest,
} from './generated/grpc/reflection/v1/reflection_pb.ts';
import { file_grpc_reflection_v1alpha_reflection } from './generated/grpc/reflection/v1alpha/reflection_pb.ts';
import { file_grpc_health_v1_health } from './generated/grpc/health/v1/health_pb.ts';
import { file_neve_build_v1_rpc_streambuild } from './generated/neve/build/v1/rpc_streambuild_pb.ts';
import { file_neve_castore_v1_rpc_blobbatch } from './generated/neve/castore/v1/rpc_blobbatch_pb.ts';
import { file_neve_daemon_v1_daemon } from './generated/neve/daemon/v1/daemon_pb.ts';
import { file_snix_build_v1_build } from './generated/snix/build/v1/build_pb.ts';
import { file_snix_build_v1_rpc_build } from './generated/snix/build/v1/rpc_build_pb.ts';
import { file_snix_castore_v1_castore } from './generated/snix/castore/v1/castore_pb.ts';
import { file_snix_castore_v1_rpc_blobstore } from './generated/snix/castore/v1/rpc_blobstore_pb.ts';
import { file_snix_castore_v1_rpc_directory } from './generated/snix/castore/v1/rpc_directory_pb.ts';
import { file_snix_store_v1_pathinfo } from './generated/snix/store/v1/pathinfo_pb.ts';
import { file_snix_store_v1_rpc_pathinfo } from './generated/snix/store/v1/rpc_pathinfo_pb.ts';
import { exchange, type Handler } from './handler.ts';
import type { MessageCodec, Method } from './method.ts';
import { statusNumbers } from './rpc-error.ts';
import { tvixDescriptor } from './tvix-names.ts';

export const reflectionServiceNames: readonly string[] = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

type ReflectionMethod = Method<
  MessageCodec<typeof ServerReflectionRequestSchema>,
  MessageCodec<typeof ServerReflectionResponseSchema>
>;

/** The messages of both versions have the same fields. */
export function reflectionMethod(service: string): ReflectionMethod {
  return {
    service,
    name: 'ServerReflectionInfo',
    streams: { request: true, answer: true },
    request: messageCodec(ServerReflectionRequestSchema),
    answer: messageCodec(ServerReflectionResponseSchema),
  };
}

/** `services` are the full names of all services of the server. */
export function reflectionHandlers(services: readonly string[]): readonly Handler[] {
  const schema = new Schema(allFiles());
  return reflectionServiceNames.map((service) =>
    exchange(reflectionMethod(service), async function* (requests) {
      for await (const request of requests) {
        const messageResponse = respond(request, services, schema);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    }),
  );
}

type Response = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

function respond(
  { messageRequest }: ServerReflectionRequest,
  services: readonly string[],
  schema: Schema,
): Response {
  switch (messageRequest.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return filesResponse(schema.file(messageRequest.value), messageRequest.value);
    case 'fileContainingSymbol':
      return filesResponse(schema.fileOfSymbol(messageRequest.value), messageRequest.value);
    case 'fileContainingExtension':
      return notFound(messageRequest.value.containingType);
    case 'allExtensionNumbersOfType':
      return schema.fileOfSymbol(messageRequest.value) === undefined
        ? notFound(messageRequest.value)
        : { case: 'allExtensionNumbersResponse', value: { baseTypeName: messageRequest.value } };
    case undefined:
      return errorResponse(statusNumbers['invalid-argument'], 'the request asks for nothing');
  }

  function filesResponse(found: readonly Uint8Array[] | undefined, name: string): Response {
    if (found === undefined) return notFound(name);
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [...found] } };
  }
}

function notFound(name: string): Response {
  return errorResponse(statusNumbers['not-found'], `there is no ${name}`);
}

function errorResponse(errorCode: number, errorMessage: string): Response {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

/** Files by name and by what they define. An answer has a file and all that it imports. */
class Schema {
  readonly #files = new Map<string, FileDescriptorProto>();
  readonly #symbols = new Map<string, FileDescriptorProto>();

  constructor(files: readonly FileDescriptorProto[]) {
    for (const file of files) {
      this.#files.set(file.name, file);
      for (const symbol of symbolsOf(file)) this.#symbols.set(symbol, file);
    }
  }

  file(name: string): readonly Uint8Array[] | undefined {
    const file = this.#files.get(name);
    return file === undefined ? undefined : this.#withImports(file);
  }

  fileOfSymbol(symbol: string): readonly Uint8Array[] | undefined {
    const file = this.#symbols.get(symbol);
    return file === undefined ? undefined : this.#withImports(file);
  }

  #withImports(file: FileDescriptorProto): readonly Uint8Array[] {
    const reached = new Set([file]);
    // The set grows while it is walked.
    for (const { dependency } of reached) {
      for (const name of dependency) {
        const imported = this.#files.get(name);
        if (imported !== undefined) reached.add(imported);
      }
    }
    return Array.from(reached, (it) => toBinary(FileDescriptorProtoSchema, it));
  }
}

function* symbolsOf(file: FileDescriptorProto): Generator<string> {
  for (const message of file.messageType) yield* symbolsOfMessage(message, file.package);
  for (const { name } of file.enumType) yield `${file.package}.${name}`;
  for (const service of file.service) {
    yield `${file.package}.${service.name}`;
    for (const { name } of service.method) yield `${file.package}.${service.name}.${name}`;
  }
}

function* symbolsOfMessage(
  message: FileDescriptorProto['messageType'][number],
  scope: string,
): Generator<string> {
  const name = `${scope}.${message.name}`;
  yield name;
  for (const field of message.field) yield `${name}.${field.name}`;
  for (const nested of message.enumType) yield `${name}.${nested.name}`;
  for (const nested of message.nestedType) yield* symbolsOfMessage(nested, name);
}

function allFiles(): readonly FileDescriptorProto[] {
  const snix = [
    file_snix_castore_v1_castore,
    file_snix_castore_v1_rpc_blobstore,
    file_snix_castore_v1_rpc_directory,
    file_snix_store_v1_pathinfo,
    file_snix_store_v1_rpc_pathinfo,
  ].map(({ proto }) => proto);
  const others = [
    file_snix_build_v1_build,
    file_snix_build_v1_rpc_build,
    file_neve_build_v1_rpc_streambuild,
    file_neve_castore_v1_rpc_blobbatch,
    file_neve_daemon_v1_daemon,
    file_grpc_health_v1_health,
    file_grpc_reflection_v1_reflection,
    file_grpc_reflection_v1alpha_reflection,
  ].map(({ proto }) => proto);
  return [...snix, ...snix.map(tvixDescriptor), ...others];
}
