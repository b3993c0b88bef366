import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { plainError, portable, restored, restoredError } from './thread-messages.ts';

/** What another thread gets. */
function sent(value: unknown): unknown {
  const { port1, port2 } = new MessageChannel();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, no window
  port1.postMessage(value);
  const received: unknown = receiveMessageOnPort(port2)?.message;
  port1.close();
  return received;
}

test('bytes are sent without the buffer that they are a part of', () => {
  const large = new Uint8Array(1000).fill(7);
  const { part } = sent(portable({ part: large.subarray(10, 13) })) as { part: Uint8Array };
  expect([part.length, part.buffer.byteLength, part[0]]).toEqual([3, 3, 7]);
});

test('sets of paths, maps and absent values arrive', () => {
  const paths = [Uint8Array.of(1), Uint8Array.of(2, 255)];
  const accepted = { has: () => false, paths: () => paths };
  const value = { accepted, map: new Map([['a', 1n]]), nothing: undefined, list: [[true]] };
  const received = restored(sent(portable(value))) as {
    accepted: { has(path: Uint8Array): boolean };
    map: unknown;
    list: unknown;
  };
  expect(received.accepted.has(Uint8Array.of(2, 255))).toBe(true);
  expect(received.accepted.has(Uint8Array.of(3))).toBe(false);
  expect(received).toMatchObject({ map: new Map([['a', 1n]]), list: [[true]] });
});

test('an error keeps its name, code and path', () => {
  const path = Uint8Array.of(0x2f);
  const error = Object.assign(new Error('not there'), { name: 'EvalIOError', code: 'not-found', path });
  expect(restoredError(sent(plainError(error)) as ReturnType<typeof plainError>)).toMatchObject({
    ...{ name: 'EvalIOError', message: 'not there', code: 'not-found', path, stack: error.stack },
  });
});
