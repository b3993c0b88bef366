/** Beside the generated code: what one writes, the other reads. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEvent, encodeCommand, encodeSignal } from './command-messages.ts';
import { writeDaemonEvent } from './daemon-messages.ts';
import { daemonProtocol, progressKinds } from './daemon-service.ts';
import {
  CommandEventSchema,
  CommandEvent_Progress_Kind,
  CommandRequestSchema,
  type CommandRequest_Command,
} from './generated/neve/daemon/v1/daemon_pb.ts';

const text = fc.string({ unit: 'grapheme' });

test('a command is read as it was given', () => {
  const commands = fc.record({
    words: fc.array(text),
    directory: text,
    // A name that objects treat in their own way is none of an environment.
    environment: fc.dictionary(
      text.filter((it) => it !== '__proto__'),
      text,
      { noNullPrototype: true },
    ),
    standardInput: fc.option(fc.uint8Array(), { nil: undefined }),
    colour: fc.boolean(),
    wantsProgress: fc.boolean(),
    showsProgress: fc.boolean(),
  });
  fc.assert(
    fc.property(commands, (command) => {
      const { message } = fromBinary(CommandRequestSchema, encodeCommand(command));
      expect(message.case).toBe('command');
      const { $typeName: _, ...value } = message.value as CommandRequest_Command;
      expect({ standardInput: undefined, ...value }).toEqual({ protocol: daemonProtocol, ...command });
    }),
  );
});

test('a signal is read as it was given', () => {
  const { message } = fromBinary(CommandRequestSchema, encodeSignal('SIGINT'));
  expect([message.case, message.value]).toMatchObject(['signal', { name: 'SIGINT' }]);
});

test('events are what the server said', () => {
  const bytes = fc.uint8Array({ minLength: 1 });
  const filled = fc.string({ unit: 'grapheme', minLength: 1 });
  const size = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const progress = fc.record(
    {
      ...{ storePath: filled, detail: filled, derivation: filled, log: bytes },
      ...{ bytes: size, totalBytes: size, narSize: size, expectedMs: size },
      inputs: fc.array(filled, { minLength: 1 }),
      kind: fc.constantFrom(...progressKinds),
    },
    { requiredKeys: ['kind'] },
  );
  const events = fc.oneof(
    fc.record({ kind: fc.constant('output' as const), file: fc.constantFrom(1 as const, 2 as const), bytes }),
    fc.record({ kind: fc.constant('interruptible' as const), isInterruptible: fc.boolean() }),
    fc.record({ kind: fc.constant('exit' as const), code: fc.nat(255) }),
    fc.record({ kind: fc.constant('progress' as const), progress }),
  );
  const encode = (event: Parameters<typeof writeDaemonEvent>[0]): Uint8Array =>
    toBinary(CommandEventSchema, create(CommandEventSchema, writeDaemonEvent(event)));
  fc.assert(
    fc.property(events, (event) => {
      expect(decodeEvent(encode(event))).toEqual(event);
    }),
  );
  expect(decodeEvent(encode({ kind: 'alive' }))).toBeUndefined();
});

test('kinds of progress have the numbers that the schema gives them', () => {
  const names = progressKinds.map((kind) => kind.replaceAll('-', '_').toUpperCase());
  const numbered = ['KIND_UNSPECIFIED', ...names].map((name, index) => [name, index]);
  expect(Object.entries(CommandEvent_Progress_Kind)).toEqual(numbered);
});

test('progress of a kind that is not known is nothing', () => {
  const event = { event: { case: 'progress', value: { kind: 1000 as never } } } as const;
  expect(decodeEvent(toBinary(CommandEventSchema, create(CommandEventSchema, event)))).toBeUndefined();
});

test('what is cut off is refused', () => {
  expect(() => decodeEvent(Uint8Array.of(0x0a, 0x05, 0x61))).toThrow();
});
