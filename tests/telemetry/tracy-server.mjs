// As little of Tracy's server as it takes: connects, shakes hands, asks for the names of threads, and says when it has all.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const welcomeBytes = 1178;
/** The last item of a client. */
const terminate = 57;
/** Queries. */
const enough = 0;
const threadString = 2;

/**
 * Everything that a client says, its blocks of literals taken apart.
 *
 * @param {number} port @returns {Promise<string>} bytes as Latin-1
 */
export async function receiveAll(port) {
  const socket = await connectSoon(port);
  /** @type {Buffer} */
  let bytes = Buffer.alloc(0);
  let text = '';
  socket.write(Buffer.concat([Buffer.from('TracyPrf'), Buffer.of(69, 0, 0, 0)]));
  const closed = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => resolve(undefined));
  });
  let isWelcome = false;
  socket.on('data', (/** @type {Buffer} */ more) => {
    bytes = Buffer.concat([bytes, more]);
    if (!isWelcome && bytes.length > welcomeBytes) {
      assert.equal(bytes[0], 1, 'the client welcomes the server');
      assert.match(bytes.toString('latin1', 1 + 90, 1 + 154), /^neve\0/);
      bytes = bytes.subarray(1 + welcomeBytes);
      isWelcome = true;
    }
    if (!isWelcome) return;
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32LE(0)) {
      const items = literals(bytes.subarray(4, 4 + bytes.readUInt32LE(0)));
      bytes = bytes.subarray(4 + bytes.readUInt32LE(0));
      text += items.toString('latin1');
      if (items.at(-1) !== terminate) continue;
      for (let thread = 1; thread <= 8; thread++) socket.write(query(threadString, thread));
      setTimeout(() => socket.write(query(enough, 0)), 300);
    }
  });
  await closed;
  return text;
}

/** @param {number} port */
async function connectSoon(port) {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (isThere) return socket;
    if (attempt > 1500) throw new Error(`nobody listens on port ${port}`);
    await sleep(20);
  }
}

/** @param {number} type @param {number} pointer */
function query(type, pointer) {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt8(type, 0);
  bytes.writeBigUInt64LE(BigInt(pointer), 1);
  return bytes;
}

/** A block of LZ4 that is one sequence of literals. @param {Buffer} block */
function literals(block) {
  const token = block[0] ?? 0;
  let length = token >> 4;
  let at = 1;
  if (length === 15) {
    for (let byte = 255; byte === 255; length += byte) byte = block[at++] ?? 0;
  }
  assert.equal(block.length - at, length, 'the block is as long as it says');
  return block.subarray(at);
}
