/**
 * Both transports to a server with TLS. Its certificate was made with openssl for this test only, is its own authority, and is
 * valid for a hundred years from 2026.
 */
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { expect, test } from 'vitest';
import type { ExportSettings } from './export-settings.ts';
import { GrpcTransport } from './grpc-transport.ts';
import { HttpTransport } from './http-transport.ts';

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg47GGIckA+z9rzgn1
YFyT9biaxSZz1k82M1rFVXYuEHyhRANCAAQWNzHbbgpT7liHc1UKZg4lSYVpmgdS
FfYwYt38zk2WPPD65/wuMk+CT/WKhHTcUbpfLs8/RvFxmfSIY2HeEx7O
-----END PRIVATE KEY-----
`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUKkeecjpozCiNeZXHileG3pNGy2AwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJY29sbGVjdG9yMCAXDTI2MTEyMzE1NTU1MVoYDzIxMjYxMDMw
MTU1NTUxWjAUMRIwEAYDVQQDDAljb2xsZWN0b3IwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQWNzHbbgpT7liHc1UKZg4lSYVpmgdSFfYwYt38zk2WPPD65/wuMk+C
T/WKhHTcUbpfLs8/RvFxmfSIY2HeEx7Oo2QwYjAdBgNVHQ4EFgQUNeuC1syONXGG
u9VN4PE+H0/TGWEwHwYDVR0jBBgwFoAUNeuC1syONXGGu9VN4PE+H0/TGWEwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQCaz/JWqfTNkoD0zHuaRGHce1zn0AU6tfeYbPeekh9bmQIgNAxTrPNZHWaS/H2W
9fxCdG1wuwRewX8iphhrJZbAWAo=
-----END CERTIFICATE-----
`;

const body = (): Uint8Array => Uint8Array.of(1, 2, 3);
const timeoutMs = 5000;

function settingsFor(server: Server, tls: ExportSettings['tls']): ExportSettings {
  const { port } = server.address() as AddressInfo;
  const url = new URL(`https://127.0.0.1:${port}/`);
  return { url, headers: {}, timeoutMs, isCompressed: false, tls };
}

async function listening<S extends Server>(server: S): Promise<S> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test('HTTP: whoever the authority knows, and nobody else', async () => {
  const server = await listening(createServer({ key, cert }, (_, answer) => void answer.end()));
  const known = new HttpTransport(settingsFor(server, { ca: Buffer.from(cert) }), 'neve/1');
  const unknown = new HttpTransport(settingsFor(server, {}), 'neve/1');
  expect(await known.send(body, timeoutMs)).toMatchObject({ kind: 'taken' });
  expect(await unknown.send(body, timeoutMs)).toMatchObject({ kind: 'failed', isAbsent: false });
  known.close();
  unknown.close();
  server.close();
});

test('gRPC: whoever the authority knows, and nobody else', async () => {
  const server = createSecureServer({ key, cert });
  server.on('stream', (stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
  await listening(server);
  const of = (tls: ExportSettings['tls']): GrpcTransport =>
    new GrpcTransport({ settings: settingsFor(server, tls), signal: 'traces', userAgent: 'neve/1' });
  const [known, unknown] = [of({ ca: Buffer.from(cert) }), of({})];
  expect(await known.send(body, timeoutMs)).toMatchObject({ kind: 'taken' });
  expect(await unknown.send(body, timeoutMs)).toMatchObject({ kind: 'failed', isAbsent: false });
  known.close();
  unknown.close();
  server.close();
});
