// Downloads and substitutions from a slow server: bytes, shares, who waits for it. And commands that do one thing.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { normalised } from './terminal-place.mjs';

/** @typedef {import('./terminal-place.mjs').TerminalPlace} TerminalPlace */

/** @param {(name: string) => TerminalPlace} place @returns {readonly import('../lib/run-checks.mjs').Check[]} */
export function transferChecks(place) {
  /** @param {string} name @param {(place: TerminalPlace) => Promise<void>} check @returns {import('../lib/run-checks.mjs').Check} */
  const at = (name, check) => [
    name,
    async () => {
      const here = place(name);
      try {
        await check(here);
      } finally {
        here.dispose();
      }
    },
  ];
  return [
    at('a download says how much of it has come', download),
    at('a substitution says how much of it has come', substitution),
    at('commands that do one thing say how far they are, and leave nothing', tasks),
  ];
}

const megabyte = 1 << 20;

/**
 * A server of files, each of which stops half-way until it is told to go on.
 *
 * @param {ReadonlyMap<string, Buffer>} files
 * @param {(url: string, goOn: () => void) => Promise<void>} body
 */
async function withSlowServer(files, body) {
  let goOn = () => {};
  /** @type {Promise<void>} */
  const going = new Promise((fulfil) => (goOn = () => fulfil()));
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? '');
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-length': file.length });
    if (file.length < megabyte) {
      response.end(file);
      return;
    }
    response.write(file.subarray(0, file.length / 2));
    void going.then(() => response.end(file.subarray(file.length / 2)));
  });
  await new Promise((fulfil) => server.listen(0, '127.0.0.1', () => fulfil(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  try {
    await body(`http://127.0.0.1:${address.port}`, goOn);
  } finally {
    server.closeAllConnections();
    await new Promise((fulfil) => server.close(fulfil));
  }
}

/** @param {TerminalPlace} place */
async function download(place) {
  const files = new Map([['/file', Buffer.alloc(2 * megabyte, 'x')]]);
  await withSlowServer(files, async (url, goOn) => {
    const session = place.build([], { words: ['--argstr', 'url', `${url}/file`, 'fetched'] });
    const screen = await session.shows((text) => text.includes('(50%)'));
    assert.equal(
      normalised(screen).replace(/ \(1\.0 MiB(, N\/s)?\)/, ' (1.0 MiB, …)'),
      '↓ fetched  1.0 MiB of 2.0 MiB (50%)  from 127.0.0.1:PORT  Ns\n▸ 0 building  ↓ 0 of 1 fetched (1.0 MiB, …)  Ns'.replace(
        'PORT',
        new URL(url).port,
      ),
    );
    goOn();
    await session.ended;
    assert.equal(normalised(session.screen.history), '↓ 1 fetched (2.0 MiB)  Ns\n/nix/store/…-fetched');
    assert.equal(session.exitCode, 0);
  });
}

/** @param {TerminalPlace} place */
async function substitution(place) {
  const hashPart = '0123456789abcdfghijklmnpqrsvwxyz';
  const storePath = `/nix/store/${hashPart}-snow`;
  const nar = narOfFile(Buffer.alloc(2 * megabyte, 'y'));
  const sha256 = createHash('sha256').update(nar).digest('hex');
  const narInfo = `StorePath: ${storePath}
URL: nar/snow.nar
Compression: none
FileHash: sha256:${sha256}
FileSize: ${nar.length}
NarHash: sha256:${sha256}
NarSize: ${nar.length}
References: 
`;
  const files = new Map([
    ['/nix-cache-info', Buffer.from('StoreDir: /nix/store\n')],
    [`/${hashPart}.narinfo`, Buffer.from(narInfo)],
    ['/nar/snow.nar', nar],
  ]);
  await withSlowServer(files, async (url, goOn) => {
    const options = ['--option', 'require-sigs', 'false', '--option', 'substituters', url];
    const session = place.start(['build', '--no-link', ...options, storePath]);
    const screen = await session.shows((text) => /\((49|50)%\)/.test(text));
    assert.match(
      normalised(screen),
      /^↓ snow {2}1\.0 MiB of 2\.0 MiB \((49|50)%\) {2}from 127\.0\.0\.1:\d+ {2}Ns\n▸ 0 building {2}↓ 0 of 1 fetched \(1\.0 MiB/,
    );
    goOn();
    await session.ended;
    assert.equal(normalised(session.screen.history), '↓ 1 fetched (2.0 MiB)  Ns\n/nix/store/…-snow');
  });
}

/** @param {Buffer} contents */
function narOfFile(contents) {
  const text = (/** @type {string | Uint8Array} */ value) => {
    const bytes = Buffer.from(typeof value === 'string' ? new TextEncoder().encode(value) : value);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return Buffer.concat([length, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
  };
  const words = ['nix-archive-1', '(', 'type', 'regular', 'contents', contents, ')'];
  return Buffer.concat(words.map(text));
}

/** @param {TerminalPlace} place */
async function tasks(place) {
  const tree = join(place.folder, 'work/tree');
  mkdirSync(tree);
  for (let n = 0; n < 20; n++) writeFileSync(join(tree, `file-${n}`), Buffer.alloc(1000, n));
  const other = join(place.folder, 'other');
  /** @type {readonly (readonly [line: string, drawn: RegExp | undefined, left: RegExp])[]} */
  const lines = [
    ['store import tree tree', /imported \d of 2 objects/, /^\/nix\/store\/…-tree\n\/nix\/store\/…-tree$/],
    [`store copy --to ${other} --all`, /copied \d of 1 paths/, /^$/],
    ['store verify', undefined, /^1 paths checked, 0 objects repaired, 0 damaged$/],
    ['store gc', undefined, /^\/nix\/store\/…-tree\n1 paths removed, .* freed$/],
  ];
  for (const [line, drawn, left] of lines) {
    const session = place.start(line.split(' '));
    await session.ended;
    assert.match(normalised(session.screen.history), left, `${line}\n${session.screen.history}`);
    // What takes no time is not drawn.
    const isDrawn = drawn === undefined || session.recording.some(({ text }) => drawn.test(text));
    assert.ok(isDrawn, line);
    assert.equal(session.screen.isCursorShown, true);
    assert.equal(session.exitCode, 0);
  }
}
