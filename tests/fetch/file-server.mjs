// A server of files for the comparison, on a port of its own: with ETags, redirects, an immutable link, and git repositories
// through `git http-backend`.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/**
 *     /redirect/x      301 to /x
 *     /immutable/x     x, with a Link header to /x
 *     /x.git/…         git's smart protocol
 *
 * @param {string} folder
 */
export async function serveFolder(folder) {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const [, special, rest = url.pathname] = /^\/(redirect|immutable)(\/.*)$/.exec(url.pathname) ?? [];
    if (special === 'redirect') return void response.writeHead(301, { location: rest }).end();
    if (/^\/[^/]*\.git\//.test(url.pathname)) return serveGit({ folder, url, request, response });
    const path = join(folder, rest);
    if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
    const bytes = readFileSync(path);
    const etag = `"${createHash('sha256').update(bytes).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
    const link =
      special === 'immutable'
        ? { link: `<${url.origin}${rest}?rev=${'2'.repeat(40)}>; rel="immutable"` }
        : {};
    response.writeHead(200, { etag, 'content-length': bytes.length, ...link }).end(bytes);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => void (server.closeAllConnections(), server.close()),
  };
}

/**
 * @param {{ folder: string, url: URL, request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse }} exchange
 */
function serveGit({ folder, url, request, response }) {
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  /** @type {Buffer[]} */
  const pieces = [];
  child.stdout.on('data', (piece) => pieces.push(piece));
  child.on('close', () => {
    const output = Buffer.concat(pieces);
    const end = output.indexOf('\r\n\r\n');
    const headers = output
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => /^([^:]*): *(.*)$/.exec(line));
    const status = headers.find((it) => it?.[1] === 'Status')?.[2]?.slice(0, 3) ?? '200';
    const kept = headers.flatMap((it) => (it === null || it[1] === 'Status' ? [] : [[it[1], it[2]]]));
    response.writeHead(Number(status), Object.fromEntries(kept)).end(output.subarray(end + 4));
  });
}
