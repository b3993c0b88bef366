// Serves a folder of files under a path on the loopback interface, as any web server would: nothing is rewritten.

import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

/** @type {Readonly<Record<string, string>>} */
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/**
 * @param {string} folder
 * @param {string} base `/` or `/path/`
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serveSite(folder, base) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(folder, decodeURIComponent(pathname.slice(base.length)));
    const file = pathname.endsWith('/') ? join(path, 'index.html') : path;
    const found = pathname.startsWith(base) && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    if (!found) response.writeHead(404).end('not found');
    else {
      // No type for WebAssembly, as with servers that do not know it.
      response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
      response.end(readFileSync(file));
    }
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}${base}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
