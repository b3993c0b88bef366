// What builds download: a file and a packed tree, in a folder and by HTTP on the loopback interface.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';

export class SourceServer {
  /** @type {string} */
  files;
  /** @type {string} */
  url;
  /** @type {import('node:http').Server} */
  #server;

  /**
   * @param {string} files
   * @param {import('node:http').Server} server
   */
  constructor(files, server) {
    this.files = files;
    this.#server = server;
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    this.url = `http://127.0.0.1:${address.port}`;
  }

  /** @param {import('./build-programs.mjs').BuildPrograms} programs */
  static async start(programs) {
    const files = join(programs.folder, 'files');
    const tree = join(programs.folder, 'packed-tree');
    for (const folder of [files, tree]) mkdirSync(folder);
    writeFileSync(join(files, 'hello.txt'), 'hello\n');
    writeFileSync(join(tree, 'f'), 'hello\n');
    symlinkSync('f', join(tree, 'l'));
    const nar = join(files, 'tree.nar');
    writeFileSync(nar, (await programs.nix('nix-store', ['--dump', tree])).stdout, 'latin1');
    const { code, stderr } = await runCommand(['xz', nar]);
    if (code !== 0) throw new Error(`xz failed: ${stderr}`);
    const server = createServer((request, response) => serve(files, request, response));
    await new Promise((fulfil) => server.listen(0, '127.0.0.1', () => fulfil(undefined)));
    return new SourceServer(files, server);
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((fulfil) => this.#server.close(fulfil));
  }
}

/**
 * @param {string} files
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
function serve(files, request, response) {
  const [first, second] = (request.url ?? '').split('/').slice(1);
  if (first === 'redirect') {
    response.writeHead(302, { location: `/${second}` }).end();
    return;
  }
  if (first !== 'hello.txt' && first !== 'tree.nar.xz') {
    response.writeHead(404).end('there is no such file\n');
    return;
  }
  response.writeHead(200).end(readFileSync(join(files, first)));
}
