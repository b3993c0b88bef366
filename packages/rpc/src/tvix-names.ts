/**
 * The names that Tvix gave to what Snix took over. Numbers and encodings are the same, so the server answers under both,
 * and only a client that asks for the schema sees a difference.
 */
import { clone } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';

const messages: Readonly<Record<string, string>> = {
  Entry: 'Node',
  DirectoryEntry: 'DirectoryNode',
  FileEntry: 'FileNode',
  SymlinkEntry: 'SymlinkNode',
};

/** Services that Tvix had with other messages. */
const unlike: ReadonlySet<string> = new Set(['snix.build.v1.BuildService']);

/** Whether the service is the same under its older name. */
export function isInTvix(service: string): boolean {
  return service.startsWith('snix.') && !unlike.has(service);
}

/** `tvix.castore.v1.BlobService` for `snix.castore.v1.BlobService`; other names stay. */
export function tvixName(name: string): string {
  const last = name.slice(name.lastIndexOf('.') + 1);
  const renamed = messages[last];
  const whole = renamed === undefined ? name : name.slice(0, name.length - last.length) + renamed;
  return whole.replace(/^(\.?)snix([./])/, '$1tvix$2');
}

/** The schema under the older names. */
export function tvixDescriptor(file: FileDescriptorProto): FileDescriptorProto {
  const copy = clone(FileDescriptorProtoSchema, file);
  copy.name = tvixName(copy.name);
  copy.package = tvixName(copy.package);
  copy.dependency = copy.dependency.map(tvixName);
  for (const message of copy.messageType) renameMessage(message);
  for (const service of copy.service) {
    for (const method of service.method) {
      method.inputType = tvixName(method.inputType);
      method.outputType = tvixName(method.outputType);
    }
  }
  return copy;
}

type MessageDescriptor = FileDescriptorProto['messageType'][number];

function renameMessage(message: MessageDescriptor): void {
  message.name = messages[message.name] ?? message.name;
  for (const field of message.field) field.typeName = tvixName(field.typeName);
  if (message.name === 'PathInfo') {
    for (const field of message.field) if (field.name === 'entry') field.name = field.jsonName = 'node';
  }
  if (message.name === 'Node') for (const oneof of message.oneofDecl) oneof.name = 'node';
  for (const nested of message.nestedType) renameMessage(nested);
}
