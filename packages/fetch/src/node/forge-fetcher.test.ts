/**
 * Fetches from forges: a server of this machine plays all of them, behind a proxy that leads every name to it. Its
 * certificates were made with openssl for this test only and are valid to 2126.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server as HttpServer, createServer as createProxy } from 'node:http';
import { type Server, createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { concatBytes, encodeUtf8, parseDigest } from '@neve/bytes';
import { nodeHashes as hashes } from '@neve/bytes/node';
import { memoryBlobs, memoryDirectories, writeTar } from '@neve/castore';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ForgeFetch } from '../fetch.ts';
import type { Fetched } from '../fetcher.ts';
import { createFetcher } from './create-fetcher.ts';

const ca = `-----BEGIN CERTIFICATE-----
MIIBkzCCATmgAwIBAgIURg1KHkoU+xI8fB1jMzgH7hh3mnMwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTTmV2ZSB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjMwNTU3MTBa
GA8yMTI2MTAzMDA1NTcxMFowHjEcMBoGA1UEAwwTTmV2ZSB0ZXN0IGF1dGhvcml0
eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLFgREGhoKw0MWDPr0+xjHAKQD7j
OwN7IcsnrRYockaLedNwD/xWpEacnrZmyG2RaYxWlm9lksziH+CrT3hr59ujUzBR
MB0GA1UdDgQWBBRRnokvb6PCi+isvdTzwjHTmhIU0zAfBgNVHSMEGDAWgBRRnokv
b6PCi+isvdTzwjHTmhIU0zAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA
MEUCIAD/fdtzpTxz1pC1etSqFYMErYd/mvwH/4FTWyvLUNjbAiEAuN5alhAg7HoB
fBLaDLfKzDzf6aErv9K4rR3LS7406rQ=
-----END CERTIFICATE-----
`;

const identity = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgR+Zk3YA5sOlq9wCx
6vp7LRfjFjkfT6WJhLbDn5d2fgChRANCAAR37L1MwZtDPqoGMVV3OmAzykkjgj2a
g88R8KqsKQpFLr9IKS5Zo8cGQH31HrzoXcx5GtUFJYx3hQKkZlPiJkD+
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIByDCCAW6gAwIBAgIUSvs1MboGVQq9bmkuOPBW9u+vp/UwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTTmV2ZSB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjMwNTU3MTBa
GA8yMTI2MTAzMDA1NTcxMFowETEPMA0GA1UEAwwGZm9yZ2VzMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAEd+y9TMGbQz6qBjFVdzpgM8pJI4I9moPPEfCqrCkKRS6/
SCkuWaPHBkB99R686F3MeRrVBSWMd4UCpGZT4iZA/qOBlDCBkTBPBgNVHREESDBG
ggpnaXRodWIuY29tgg5hcGkuZ2l0aHViLmNvbYIKZ2l0bGFiLmNvbYIJZ2l0LnNy
Lmh0ghFmb3JnZS5leGFtcGxlLm9yZzAdBgNVHQ4EFgQUqNxP5GBSAUEIJMEpt8lf
SAF0gI8wHwYDVR0jBBgwFoAUUZ6JL2+jwovorL3U88Ix05oSFNMwCgYIKoZIzj0E
AwIDSAAwRQIhAJGkx+qEytlWlPYMqIHSkk4FcB62XgVyDaWf9DxlIHKNAiB1Lzaf
m3mobb6P4vfefoN4Foa4rJ5W5ULgXMjiUSb5vA==
-----END CERTIFICATE-----
`,
};

const revision = '0123456789abcdef0123456789abcdef01234567';
/** Of a directory with `hello` in a file named `file`, by `nix-hash --sri`. */
const narHash = parseDigest('sha256-eusw8ttI+DNQtZwhsfZJlnBhBBacdCj+plT6W3SG+G4=');

let folder: string;
let server: Server;
let proxy: HttpServer;
let asked: string[] = [];

const answers: Readonly<Record<string, string>> = {
  'api.github.com/repos/o/r/commits/main': `{ "sha": "${revision}" }`,
  'api.github.com/repos/o/r/commits/HEAD': `{ "sha": "${revision}" }`,
  'gitlab.com/api/v4/projects/o%2Fr/repository/commits?ref_name=main': `[{ "id": "${revision}" }]`,
  'git.sr.ht/o/r/HEAD': 'ref: refs/heads/trunk\n',
  'git.sr.ht/o/r/info/refs': `${revision}\trefs/heads/trunk\n`,
};

const archives: ReadonlySet<string> = new Set([
  `github.com/o/r/archive/${revision}.tar.gz`,
  `forge.example.org/api/v3/repos/o/r/tarball/${revision}`,
  `gitlab.com/api/v4/projects/o%2Fr/repository/archive.tar.gz?sha=${revision}`,
  `git.sr.ht/o/r/archive/${revision}.tar.gz`,
]);

beforeAll(async () => {
  const archive = gzipSync(await makeArchive());
  server = createServer(identity, (request, response) => {
    const address = `${request.headers.host}${request.url}`;
    asked.push(address);
    const answer = archives.has(address) ? archive : answers[address];
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  proxy = createProxy();
  proxy.on('connect', (_, socket) => {
    const through = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      through.pipe(socket).pipe(through);
    });
    through.on('error', () => socket.destroy());
    socket.on('error', () => through.destroy());
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
});

afterAll(() => {
  for (const it of [server, proxy]) {
    it.closeAllConnections();
    it.close();
  }
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-forge-test-'));
  asked = [];
  return () => rmSync(folder, { recursive: true });
});

async function makeArchive(): Promise<Uint8Array> {
  const contents = (async function* () {
    yield encodeUtf8('hello');
  })();
  const path = ['r-main', 'file'].map(encodeUtf8);
  const pieces: Uint8Array[] = [];
  for await (const piece of writeTar([{ kind: 'file', path, executable: false, sizeBytes: 5, contents }])) {
    pieces.push(piece.slice());
  }
  return concatBytes(pieces);
}

async function run(forge: ForgeFetch['forge'], more: Partial<ForgeFetch> = {}): Promise<Fetched> {
  const { port } = proxy.address() as AddressInfo;
  await using fetcher = createFetcher({
    blobs: memoryBlobs(),
    directories: memoryDirectories(),
    hashes,
    cacheFolder: folder,
    http: { tls: { ca }, proxies: { https: `http://127.0.0.1:${port}` }, retry: { maxAttempts: 1 } },
  });
  const none = { host: undefined, ref: undefined, revision: undefined, narHash: undefined };
  return await fetcher.fetch({
    kind: 'forge',
    name: 'source',
    forge,
    owner: 'o',
    repo: 'r',
    ...none,
    ...more,
  });
}

test.each([
  ['github', { ref: 'main' }, 2],
  ['github', {}, 2],
  ['github', { revision }, 1],
  ['github', { revision, host: 'forge.example.org' }, 1],
  ['gitlab', { ref: 'main' }, 2],
  ['sourcehut', {}, 3],
  ['sourcehut', { ref: 'trunk' }, 2],
] as const)('%s %o', async (forge, more, requests) => {
  const fetched = await run(forge, { ...more, narHash });
  expect(fetched).toMatchObject({ narHash, git: { revision }, lastModified: 1 });
  expect(asked).toHaveLength(requests);
});

test('what is not there, and another hash', async () => {
  await expect(run('github', { ref: 'nowhere' })).rejects.toMatchObject({ code: 'not-found' });
  await expect(run('sourcehut', { ref: 'nowhere' })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining("sourcehut knows no 'nowhere' of 'o/r'"),
  });
  const other = parseDigest('sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  await expect(run('github', { revision, narHash: other })).rejects.toMatchObject({
    code: 'hash-mismatch',
    got: narHash.format('sri'),
  });
});
