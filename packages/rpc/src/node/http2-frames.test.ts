/** Beside Node's own HTTP/2: what is written here it understands, and what it sends is understood here. */
import { createServer } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import {
  FrameReader,
  answerTo,
  dataFrames,
  dataOf,
  frameTypes,
  isEnd,
  openingFrames,
} from '../http2-frames.ts';

test('a call that Node answers, of many frames each way', async () => {
  const sent = Uint8Array.from({ length: 50_000 }, (_, index) => index % 251);
  const answered = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 253);
  const server = createServer();
  const asked: unknown[] = [];
  server.on('stream', (stream, headers) => {
    asked.push([headers[':method'], headers[':path'], headers['content-type'], headers['te']]);
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => {
      pieces.push(piece);
      if (Buffer.concat(pieces).length < sent.length) return;
      asked.push(Buffer.concat(pieces).equals(sent));
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(answered);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const received: Uint8Array[] = [];
  await new Promise<void>((resolve) => {
    const reader = new FrameReader((frame) => {
      const answer = answerTo(frame);
      if (answer !== undefined) socket.write(answer);
      if (frame.type === frameTypes.data) received.push(dataOf(frame).slice());
      if (isEnd(frame)) resolve();
    });
    socket.on('data', (bytes) => reader.take(bytes));
    socket.write(openingFrames('/a.Service/Call'));
    socket.write(dataFrames(sent));
  });
  socket.destroy();
  server.close();
  expect(asked).toEqual([['POST', '/a.Service/Call', 'application/grpc', 'trailers'], true]);
  expect(Buffer.concat(received).equals(answered)).toBe(true);
});

test('padding is no data, and a reset is an end', () => {
  const payload = Uint8Array.of(2, 1, 1, 0, 0);
  expect([...dataOf({ type: frameTypes.data, flags: 8, stream: 1, payload })]).toEqual([1, 1]);
  expect(isEnd({ type: frameTypes.reset, flags: 0, stream: 1, payload })).toBe(true);
  expect(isEnd({ type: frameTypes.data, flags: 0, stream: 1, payload })).toBe(false);
});

test('what is no HTTP/2 is refused', () => {
  const reader = new FrameReader(() => undefined);
  expect(() => reader.take(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow('does not speak HTTP/2');
});
