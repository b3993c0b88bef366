// Serves the page, its worker, the language core and the files of one folder on the loopback interface, and waits for
// the page's report. Outside of the folder only the files named with it can be read, and all is gone when the test is
// over.

import { createServer } from 'node:http';
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A page with nothing but the worker; what keeps the worker from starting is reported too. */
const page = `<!doctype html>
<meta charset="utf-8">
<title>Neve</title>
<script type="module">
  const report = (failure) => fetch('/report', { method: 'POST', body: JSON.stringify({ failure }) });
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onerror = (event) => report(event.message || 'the worker did not start');
</script>
`;

/** @typedef {import('./files-over-http.mjs').Node} Node */

/**
 * @typedef {object} PageServer
 * @property {string} url
 * @property {Promise<unknown>} report what the page reports first
 * @property {() => void} close
 */

/** @typedef {{ directory: string, further: readonly string[] }} Files a folder, and single files outside of it */

/**
 * @param {{ worker: Uint8Array, cores: Readonly<Record<string, Uint8Array>>, task: unknown, files: Files }} site
 *   `cores` by the path that they are served at
 * @returns {Promise<PageServer>}
 */
export async function servePage({ worker, cores, task, files }) {
  /** @type {(report: unknown) => void} */
  let reported = () => {};
  const report = new Promise((resolve) => {
    reported = resolve;
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    /** @type {(type: string, body: string | Uint8Array) => void} */
    const reply = (type, body) => response.writeHead(200, { 'content-type': type }).end(body);
    const core = cores[url.pathname];
    if (request.method === 'POST' && url.pathname === '/report') {
      void readBody(request).then((body) => reported(JSON.parse(body)));
      reply('text/plain', '');
    } else if (url.pathname === '/') reply('text/html', page);
    else if (url.pathname === '/worker.js') reply('text/javascript', worker);
    else if (core !== undefined) reply('application/wasm', core);
    else if (url.pathname === '/task') reply('application/json', JSON.stringify(task));
    else if (url.pathname === '/tree') reply('application/json', JSON.stringify(treeOf(files)));
    else {
      const node = url.pathname === '/node' ? nodeAt(url.searchParams.get('path') ?? '', files) : undefined;
      if (node === undefined) response.writeHead(404).end();
      else reply('application/json', JSON.stringify(node));
    }
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
  return { url: `http://127.0.0.1:${address.port}/`, report, close };
}

/** @param {import('node:http').IncomingMessage} request */
async function readBody(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * What is at a path of the files. The folders above the folder are there, and have nothing in them that is listed.
 *
 * @param {string} path
 * @param {Files} files
 * @returns {Node | undefined}
 */
function nodeAt(path, { directory, further }) {
  if (path !== directory && !path.startsWith(`${directory}/`) && !further.includes(path)) {
    const isAbove = path === '/' || directory.startsWith(`${path}/`);
    return isAbove ? { type: 'directory', entries: {} } : undefined;
  }
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) return { type: 'symlink', target: readlinkSync(path) };
  if (!stats.isDirectory()) return { type: 'regular', contents: readFileSync(path).toString('base64') };
  const entries = readdirSync(path, { withFileTypes: true }).map((entry) => [entry.name, typeOf(entry)]);
  return { type: 'directory', entries: Object.fromEntries(entries) };
}

/** @param {import('node:fs').Dirent} entry */
function typeOf(entry) {
  if (entry.isSymbolicLink()) return 'symlink';
  return entry.isDirectory() ? 'directory' : 'regular';
}

/**
 * The folder with everything in it, the folders above it and the single files.
 *
 * @param {Files} files
 */
function treeOf(files) {
  const { directory, further } = files;
  /** @type {Record<string, Node>} */
  const tree = {};
  for (let above = dirname(directory); ; above = dirname(above)) {
    tree[above] = { type: 'directory', entries: {} };
    if (above === '/') break;
  }
  const add = (/** @type {string} */ path) => {
    const node = nodeAt(path, files);
    if (node === undefined) return;
    tree[path] = node;
    if (node.type === 'directory') for (const name of Object.keys(node.entries)) add(join(path, name));
  };
  for (const path of [directory, ...further]) add(path);
  return tree;
}
