// A folder that a Nix has written as a binary cache, behind a server that can be told to do something else.

import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

/** @typedef {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse, bytes: Uint8Array | undefined) => boolean} Behaviour */

export class StaticCache {
  /** @type {string[]} */
  requests = [];
  /** Whether it has answered. @type {Behaviour} */
  instead = () => false;
  url = '';
  /** @type {import('node:http').Server} */
  #server;

  /** @param {string} folder */
  constructor(folder) {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '/';
      this.requests.push(path);
      const bytes = readFileIn(folder, path);
      if (this.instead(request, response, bytes)) return;
      if (bytes === undefined) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    });
  }

  async start() {
    const port = this.url === '' ? 0 : Number(new URL(this.url).port);
    await new Promise((resolve) => this.#server.listen(port, '127.0.0.1', () => resolve(undefined)));
    const { port: given } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    this.url = `http://127.0.0.1:${given}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** How often a path was asked for. @param {RegExp} pattern */
  count(pattern) {
    return this.requests.filter((it) => pattern.test(it)).length;
  }
}

/** @param {string} folder @param {string} path */
function readFileIn(folder, path) {
  const file = join(folder, normalize(decodeURIComponent(path)));
  try {
    return statSync(file).isFile() ? readFileSync(file) : undefined;
  } catch {
    return undefined;
  }
}
