// Serves the built playground on the loopback interface, below a path, so that nothing in it may be absolute. What was
// asked for is written down with its size when compressed.

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
};

/** @typedef {{ path: string, bytes: number, gzipBytes: number }} Served */

/**
 * @param {string} folder
 * @param {string} prefix the path below which the site is, with slashes around it
 * @returns {Promise<{ url: string, served: Served[], close: () => void }>}
 */
export async function serveSite(folder, prefix) {
  /** @type {Served[]} */
  const served = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const below = pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined;
    const path =
      below === undefined ? undefined : join(folder, normalize(`/${below === '' ? 'index.html' : below}`));
    if (path === undefined || !existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    const contents = readFileSync(path);
    served.push({ path: below ?? '', bytes: contents.length, gzipBytes: gzipSync(contents).length });
    const extension = /** @type {keyof typeof types} */ (extname(path));
    response.writeHead(200, { 'content-type': types[extension] ?? 'application/octet-stream' }).end(contents);
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${address.port}${prefix}`, served, close };
}
