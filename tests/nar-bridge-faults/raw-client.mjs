// Bytes to a server and back, with nothing in between that would mend them.

import { connect } from 'node:net';

/**
 * Sends all of it and collects what comes until the server closes, or nothing has come for `quietMs`.
 *
 * @param {number} port
 * @param {string | Uint8Array | readonly (string | Uint8Array)[]} bytes strings are Latin-1
 * @param {{ quietMs?: number, endAfter?: boolean, destroyAfter?: boolean }} [options] `endAfter` closes our direction
 * @returns {Promise<{ text: string, isClosed: boolean }>}
 */
export function talk(port, bytes, { quietMs = 300, endAfter = false, destroyAfter = false } = {}) {
  return new Promise((resolve) => {
    /** @type {Buffer[]} */
    const pieces = [];
    const socket = connect(port, '127.0.0.1');
    const done = (/** @type {boolean} */ isClosed) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: Buffer.concat(pieces).toString('latin1'), isClosed });
    };
    let timer = setTimeout(() => done(false), quietMs);
    socket.on('error', () => {});
    socket.on('close', () => done(true));
    socket.on('data', (piece) => {
      pieces.push(piece);
      clearTimeout(timer);
      timer = setTimeout(() => done(false), quietMs);
    });
    for (const piece of typeof bytes === 'string' || bytes instanceof Uint8Array ? [bytes] : bytes) {
      socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    }
    if (endAfter) socket.end();
    if (destroyAfter) setTimeout(() => done(true), 5);
  });
}

/** The status of the first answer; undefined for none. @param {string} text */
export function statusOf(text) {
  const status = /^HTTP\/1\.1 ([0-9]{3}) /.exec(text.replace(/^(HTTP\/1\.1 100 [^\r]*\r\n\r\n)+/, ''))?.[1];
  return status === undefined ? undefined : Number(status);
}

/**
 * One request by `fetch`'s rules, on a connection of its own.
 *
 * @param {number} port
 * @param {string} path
 * @param {{ method?: string, body?: Uint8Array, headers?: Record<string, string>, signal?: AbortSignal }} [options]
 */
export async function ask(port, path, { method = 'GET', body, headers = {}, signal } = {}) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { connection: 'close', 'accept-encoding': 'identity', ...headers },
    redirect: 'manual',
    // Bytes of any kind of buffer are a body, which the types deny.
    ...(body !== undefined && { body: /** @type {BodyInit} */ (/** @type {unknown} */ (body)) }),
    ...(signal !== undefined && { signal }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  };
}
