// What clients do that are broken or mean. Each gives what was wrong with the server's answer; nothing if all is well. None of
// it may be seen by others: that is looked at by `run.mjs`.

import { randomFillSync } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { malformedNars } from '../store/malformed-nars.mjs';
import { nixBase32 } from '../store/store-path.mjs';
import { ask, statusOf, talk } from './raw-client.mjs';
import { describePath, hashText, narInfoText, samplePath, sha256, signed } from './sample-paths.mjs';

/** @typedef {import('./sample-paths.mjs').SamplePath} SamplePath */

/**
 * @typedef {object} Scene
 * @property {number} port
 * @property {import('../lib/random.mjs').Random} random
 * @property {SamplePath} known a path that is in the cache, with a NAR of some megabytes
 * @property {() => SamplePath} fresh one that nobody has put
 * @property {number} idleMs after which the server leaves a client that stalls
 */

/** @typedef {{ name: string, run: (scene: Scene) => Promise<readonly string[]> }} BadClient */

const host = 'host: localhost\r\n';

/** @param {Scene} scene @param {Buffer | string} bytes @param {string} name */
async function refused({ port }, bytes, name) {
  const { text, isClosed } = await talk(port, bytes, { quietMs: 1500 });
  const status = statusOf(text);
  if (status === undefined && isClosed) return [];
  if (status !== undefined && status >= 400 && status < 500) return [];
  return [`${name}: ${status === undefined ? 'the connection stays open' : `it is answered with ${status}`}`];
}

/** @type {BadClient} */
const garbage = {
  name: 'garbage instead of HTTP',
  async run(scene) {
    const noise = randomFillSync(Buffer.alloc(5000));
    /** @type {readonly (readonly [string, Buffer | string])[]} */
    const cases = [
      ['noise', Buffer.concat([noise, Buffer.from('\r\n\r\n')])],
      ['the hello of TLS', Buffer.from('16030100c8010000c40303', 'hex')],
      ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['HTTP/9', `GET / HTTP/9.9\r\n${host}\r\n`],
      ['an unknown method', `SNOW / HTTP/1.1\r\n${host}\r\n`],
      ['a NUL in a header', `GET / HTTP/1.1\r\n${host}x: a\0b\r\n\r\n`],
      ['a header without a name', `GET / HTTP/1.1\r\n${host}: x\r\n\r\n`],
      ['a header of 200,000 bytes', `GET / HTTP/1.1\r\n${host}x: ${'y'.repeat(200_000)}\r\n\r\n`],
      ['50,000 headers', `GET / HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(50_000)}\r\n`],
      ['a path of 100,000 bytes', `GET /${'z'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`],
      ['a line feed in the path', `GET /nix-cache\n-info HTTP/1.1\r\n${host}\r\n`],
      ['no host', 'GET /nix-cache-info HTTP/1.1\r\n\r\n'],
    ];
    const problems = [];
    for (const [name, bytes] of cases) problems.push(...(await refused(scene, bytes, name)));
    return problems;
  },
};

/** @param {SamplePath} path @param {string} extra */
const putHead = (path, extra) => `PUT ${path.url} HTTP/1.1\r\n${host}${extra}\r\n`;

/** Nobody may find any of it afterwards. @param {Scene} scene @param {SamplePath} path */
async function seenAnyway({ port }, path) {
  const problems = [];
  if ((await ask(port, path.url)).status !== 404) problems.push(`${path.url} is served`);
  const put = await ask(port, `/${path.hashPart}.narinfo`, { method: 'PUT', body: narInfoText(path.fields) });
  if (put.status !== 409)
    problems.push(`the narinfo of a NAR that never was put is answered with ${put.status}`);
  if ((await ask(port, `/${path.hashPart}.narinfo`)).status !== 404)
    problems.push(`${path.hashPart}.narinfo is served`);
  return problems;
}

/** @type {BadClient} */
const lengths = {
  name: 'wrong lengths',
  async run(scene) {
    const problems = [];
    const { port } = scene;
    const cases =
      /** @type {readonly (readonly [string, (path: SamplePath) => readonly (string | Buffer)[], boolean])[]} */ ([
        [
          'more announced than sent',
          (it) => [putHead(it, `content-length: ${it.file.length + 10}\r\n`), it.file],
          true,
        ],
        [
          'half of it',
          (it) => [
            putHead(it, `content-length: ${it.file.length}\r\n`),
            it.file.subarray(0, it.file.length >> 1),
          ],
          true,
        ],
        [
          'less announced than sent',
          (it) => [putHead(it, `content-length: ${it.file.length - 9}\r\n`), it.file],
          false,
        ],
        ['no length at all', (it) => [putHead(it, ''), it.file], false],
        ['a negative length', (it) => [putHead(it, 'content-length: -5\r\n'), it.file], false],
        ['a length that is no number', (it) => [putHead(it, 'content-length: many\r\n'), it.file], false],
        [
          'a length beyond all bounds',
          (it) => [putHead(it, 'content-length: 99999999999999999999\r\n'), it.file],
          true,
        ],
        [
          'two lengths',
          (it) => [putHead(it, `content-length: ${it.file.length}\r\ncontent-length: 5\r\n`), it.file],
          false,
        ],
        [
          'a length and chunks',
          (it) => [
            putHead(it, `content-length: 5\r\ntransfer-encoding: chunked\r\n`),
            '3\r\nabc\r\n0\r\n\r\n',
          ],
          false,
        ],
        [
          'a chunk that is too short',
          (it) => [putHead(it, 'transfer-encoding: chunked\r\n'), 'ffff\r\n', it.file.subarray(0, 100)],
          true,
        ],
        [
          'a chunk without its end',
          (it) => [putHead(it, 'transfer-encoding: chunked\r\n'), '5\r\nabcdefgh\r\n0\r\n\r\n'],
          false,
        ],
        [
          'a chunk size that is none',
          (it) => [putHead(it, 'transfer-encoding: chunked\r\n'), 'snow\r\nabc\r\n0\r\n\r\n'],
          false,
        ],
        [
          'a chunk beyond all bounds',
          (it) => [putHead(it, 'transfer-encoding: chunked\r\n'), 'ffffffffffffffff1\r\nabc'],
          true,
        ],
        [
          'no last chunk',
          (it) => [
            putHead(it, 'transfer-encoding: chunked\r\n'),
            `${it.file.length.toString(16)}\r\n`,
            it.file,
            '\r\n',
          ],
          true,
        ],
        ['an unknown coding', (it) => [putHead(it, 'transfer-encoding: snow\r\n'), it.file], true],
        [
          'an encoding',
          (it) => [putHead(it, `content-encoding: gzip\r\ncontent-length: ${it.file.length}\r\n`), it.file],
          false,
        ],
      ]);
    for (const [name, parts, endAfter] of cases) {
      const path = scene.fresh();
      const { text } = await talk(port, parts(path), { endAfter, quietMs: 500 });
      const status = statusOf(text);
      if (status !== undefined && (status < 400 || status >= 500))
        problems.push(`${name}: it is answered with ${status}`);
      problems.push(...(await seenAnyway(scene, path)).map((it) => `${name}: ${it}`));
    }
    return problems;
  },
};

/** @type {BadClient} */
const stalls = {
  name: 'clients that stall',
  async run({ port, known, fresh, idleMs }) {
    const path = fresh();
    const cases = /** @type {readonly (readonly [string, string | readonly (string | Buffer)[]])[]} */ ([
      ['before anything', ''],
      ['in the request line', 'GET /nix'],
      ['in a header', `GET / HTTP/1.1\r\nhost: lo`],
      ['before the body', putHead(path, 'content-length: 1000\r\n')],
      ['in the body', [putHead(path, `content-length: ${path.file.length}\r\n`), path.file.subarray(0, 50)]],
      ['in a chunk', [putHead(path, 'transfer-encoding: chunked\r\n'), 'ff\r\nabc']],
    ]);
    const problems = await Promise.all(
      cases.map(async ([name, bytes]) => {
        const { isClosed } = await talk(port, bytes, { quietMs: idleMs * 3 + 2000 });
        return isClosed ? [] : [`it is not left: ${name}`];
      }),
    );
    const stuck = new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => resolve([]));
      socket.pause();
      for (let i = 0; i < 40; i++) socket.write(`GET ${known.url} HTTP/1.1\r\n${host}\r\n`);
      setTimeout(
        () => {
          // What has come is taken now; a socket that was left ends then.
          socket.resume();
          setTimeout(() => resolve(socket.destroyed ? [] : ['one that does not read is not left']), 2000);
        },
        idleMs * 3 + 1000,
      );
    });
    return [...problems.flat(), .../** @type {string[]} */ (await stuck)];
  },
};

/** @type {BadClient} */
const departures = {
  name: 'clients that go away in the middle',
  async run(scene) {
    const { port, known, random } = scene;
    const problems = [];
    for (let i = 0; i < 12; i++) {
      const path = scene.fresh();
      const length = random.below(path.file.length);
      await talk(
        port,
        [putHead(path, `content-length: ${path.file.length}\r\n`), path.file.subarray(0, length)],
        {
          destroyAfter: true,
        },
      );
      if (i % 4 === 0) problems.push(...(await seenAnyway(scene, path)));
    }
    await Promise.all(
      Array.from({ length: 24 }, async () => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(`GET ${known.url} HTTP/1.1\r\n${host}\r\n`);
        let left = random.below(known.file.length);
        await new Promise((resolve) => {
          socket.on('close', resolve);
          socket.on('data', ({ length }) => (left -= length) < 0 && socket.destroy());
          setTimeout(() => socket.destroy(), 1000);
        });
      }),
    );
    return problems;
  },
};

/** @type {BadClient} */
const crowd = {
  name: 'a thousand connections',
  async run({ port, known }) {
    const sockets = Array.from({ length: 1000 }, () => connect(port, '127.0.0.1'));
    /** @type {Set<number>} */
    const answered = new Set();
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {});
      socket.once('data', () => answered.add(index));
      if (index % 2 === 0) socket.write(`GET /${known.hashPart}.narinfo HTTP/1.1\r\n${host}\r\n`);
    }
    for (let i = 0; i < 100 && answered.size < 500; i++) await sleep(100);
    const { status } = await ask(port, '/nix-cache-info');
    for (const socket of sockets) socket.destroy();
    return [
      ...(answered.size < 500 ? [`only ${answered.size} of 500 were answered`] : []),
      ...(status === 200 ? [] : [`beside them a request is answered with ${status}`]),
    ];
  },
};

/** @type {BadClient} */
const paths = {
  name: 'paths that lead elsewhere',
  async run(scene) {
    const { port, known } = scene;
    const targets = [
      ...[
        '/../../../../etc/passwd',
        '/nar/../../../etc/passwd',
        '/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
        '/..%2f..%2f..%2fetc%2fpasswd',
      ],
      ...[
        '/nar/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
        '/log/../../etc/passwd',
        '/log/%2e%2e%2fdb%2fdata.mdb',
        '/debuginfo/..',
        '/%00',
        '/nar/a%00b.nar',
      ],
      ...[
        `/serve/${known.hashPart}/../../../../etc/passwd`,
        `/serve/${known.hashPart}/%2e%2e/%2e%2e/etc/passwd`,
        `/serve/${known.hashPart}/file-0%00`,
      ],
      ...[
        '//etc/passwd',
        '/./etc/passwd',
        '/%',
        '/%zz',
        '/%c0%ae%c0%ae/etc/passwd',
        '\\..\\..',
        '*',
        '/nar/',
        '/nar//x',
        '/?',
        '/#x',
        'http://other/etc/passwd',
      ],
      ...[
        `/${'0'.repeat(32)}.narinfo`,
        `/${'e'.repeat(32)}.narinfo`,
        `/${'z'.repeat(52)}.narinfo`,
        '/.narinfo',
        '/nar/snix-castore/AA?narsize=1',
        '/nar/snix-castore/?narsize=-1',
      ],
    ];
    const problems = [];
    for (const target of targets) {
      for (const method of ['GET', 'PUT']) {
        const { text } = await talk(
          port,
          `${method} ${target} HTTP/1.1\r\n${host}connection: close\r\ncontent-length: 0\r\n\r\n`,
        );
        const status = statusOf(text);
        if (text.includes('root:')) problems.push(`${method} ${target} gives a file of this machine`);
        // The page at `/` answers with 200, links of paths with a redirection.
        if (status !== undefined && (status >= 500 || (method === 'PUT' && status < 400)))
          problems.push(`${method} ${target} is answered with ${status}`);
      }
    }
    return problems;
  },
};

/** @type {BadClient} */
const ranges = {
  name: 'wrong ranges',
  async run({ port, known, random }) {
    const { url: path, bytes } = { url: known.url, bytes: known.file };
    const size = bytes.length;
    const texts = [
      ...[
        'bytes=0-0',
        'bytes=-1',
        `bytes=${size - 1}-`,
        `bytes=${size}-`,
        `bytes=${size}-${size + 5}`,
        'bytes=-0',
        'bytes=5-2',
        'bytes=0-99999999999999999999',
      ],
      ...[
        'bytes=',
        'bytes=-',
        'bytes=a-b',
        'bytes=1-2,4-5',
        'bytes=--5',
        'bytes= 1-2',
        'lines=1-2',
        'bytes=-99999999999999',
        'bytes=1e3-2e3',
        'bytes=0x10-',
        '',
        '\t',
      ],
      ...Array.from({ length: 20 }, () => `bytes=${random.below(size + 10)}-${random.below(size + 10)}`),
    ];
    const problems = [];
    for (const text of texts) {
      const { status, headers, body } = await ask(port, path, { headers: { range: text } });
      const [, start = '', end = ''] =
        /^bytes ([0-9]+)-([0-9]+)\/[0-9]+$/.exec(headers.get('content-range') ?? '') ?? [];
      const expected = status === 206 ? bytes.subarray(Number(start), Number(end) + 1) : bytes;
      const isRight = status === 416 || ((status === 200 || status === 206) && body.equals(expected));
      if (!isRight) problems.push(`the range '${text}' is answered with ${status} and ${body.length} bytes`);
    }
    return problems;
  },
};

/** @type {BadClient} */
const lyingNarInfos = {
  name: 'narinfos that lie',
  async run({ port, fresh, known }) {
    const problems = [];
    const other = hashText(Buffer.from('other'));
    const missing = '00000000000000000000000000000000-missing';
    /** @type {readonly (readonly [string, (path: SamplePath) => Record<string, string | undefined>])[]} */
    const lies = [
      ['another NAR hash', ({ fields }) => signed({ ...fields, NarHash: other })],
      [
        'another NAR size',
        ({ fields }) => signed({ ...fields, NarSize: String(Number(fields['NarSize']) + 8) }),
      ],
      ['the NAR of another', ({ fields }) => ({ ...known.fields, StorePath: fields['StorePath'] })],
      ['another file hash', ({ fields }) => ({ ...fields, FileHash: other })],
      ['another file size', ({ fields }) => ({ ...fields, FileSize: '1' })],
      [
        'another compression',
        ({ fields }) => ({ ...fields, Compression: fields['Compression'] === 'none' ? 'xz' : 'none' }),
      ],
      ['a reference that is missing', ({ fields }) => signed({ ...fields, References: missing })],
      [
        'a reference after it was signed',
        ({ fields }) => ({ ...fields, References: known.storePath.slice('/nix/store/'.length) }),
      ],
      ['no signature', ({ fields }) => ({ ...fields, Sig: undefined })],
      [
        'a signature by nobody',
        ({ fields }) => ({ ...fields, Sig: `nobody-1:${Buffer.alloc(64).toString('base64')}` }),
      ],
      [
        'a wrong signature',
        ({ fields }) => ({ ...fields, Sig: `test-1:${Buffer.alloc(64).toString('base64')}` }),
      ],
      ['another URL', ({ fields }) => ({ ...fields, URL: '../../etc/passwd' })],
      ['a URL elsewhere', ({ fields }) => ({ ...fields, URL: 'http://127.0.0.1/x.nar' })],
      ['another path', ({ fields }) => signed({ ...fields, StorePath: `/nix/store/${missing}` })],
      [
        'a path in another store',
        ({ fields }) =>
          signed({ ...fields, StorePath: (fields['StorePath'] ?? '').replace('/nix/', '/gnu/') }),
      ],
      ['no path', ({ fields }) => ({ ...fields, StorePath: undefined })],
      ['no NAR hash', ({ fields }) => ({ ...fields, NarHash: undefined })],
      ['two NAR hashes', ({ fields }) => ({ ...fields, Deriver: `${missing}.drv\nNarHash: ${other}` })],
      [
        'a content address that is another',
        ({ fields }) => ({ ...fields, Sig: undefined, CA: `fixed:r:${other}` }),
      ],
    ];
    for (const [name, lie] of lies) {
      const path = fresh();
      const nar = await ask(port, path.url, { method: 'PUT', body: path.file });
      if (nar.status !== 201) problems.push(`${name}: its NAR is answered with ${nar.status}`);
      const narInfoPath = `/${path.hashPart}.narinfo`;
      const { status } = await ask(port, narInfoPath, { method: 'PUT', body: narInfoText(lie(path)) });
      if (status < 400 || status >= 500) problems.push(`${name}: it is answered with ${status}`);
      const seen = await ask(port, narInfoPath);
      if (seen.status !== 404) problems.push(`${name}: the path is served`);
    }
    const bodies = [
      Buffer.alloc(0),
      Buffer.from('snow'),
      Buffer.alloc(3 << 20, 'Sig: x:AAAA\n'),
      randomFillSync(Buffer.alloc(500)),
    ];
    for (const body of bodies) {
      const { status } = await ask(port, `/${fresh().hashPart}.narinfo`, { method: 'PUT', body });
      if (status < 400 || status >= 500)
        problems.push(`a narinfo of ${body.length} strange bytes is answered with ${status}`);
    }
    return problems;
  },
};

/** @type {BadClient} */
const lyingNars = {
  name: 'NARs that are none',
  async run(scene) {
    const { port } = scene;
    const problems = [];
    const bomb = gzipSync(
      Buffer.concat([samplePath(1, { size: 100 }).nar.subarray(0, 24), Buffer.alloc(30_000_000)]),
    );
    const cases = [
      ...malformedNars.map(({ name, bytes }) => ({
        name,
        path: describePath({ storePath: scene.fresh().storePath, nar: bytes }),
      })),
      {
        name: 'a bomb',
        path: { ...scene.fresh(), file: bomb, url: `/nar/${nixBase32(sha256(bomb))}.nar.gz` },
      },
    ];
    for (const { name, path } of cases) {
      const { status } = await ask(port, path.url, { method: 'PUT', body: path.file });
      if (status < 400 || status >= 500) problems.push(`${name}: it is answered with ${status}`);
      if ((await ask(port, path.url)).status !== 404) problems.push(`${name}: it is served`);
    }
    const path = scene.fresh();
    const { status } = await ask(
      port,
      path.url.replace(/[0-9a-z]{52}/, nixBase32(sha256(Buffer.from('x')))),
      { method: 'PUT', body: path.file },
    );
    if (status < 400 || status >= 500)
      problems.push(`a NAR with the name of another is answered with ${status}`);
    return problems;
  },
};

/** @type {readonly BadClient[]} */
export const badClients = [
  garbage,
  lengths,
  stalls,
  departures,
  crowd,
  paths,
  ranges,
  lyingNarInfos,
  lyingNars,
];
