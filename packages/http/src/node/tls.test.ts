// A server with TLS that asks for a client's certificate. Its authority and certificates were made with openssl for these
// tests only and are valid from 2020 to 2120.
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { HttpClient } from './http-client.ts';
import type { TlsSettings } from './dispatchers.ts';

const ca = `-----BEGIN CERTIFICATE-----
MIIBgTCCASigAwIBAgIUc1p4cTpVOb0xQw4xIJ99i6BolPswCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTTmV2ZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBa
GA8yMTIwMDEwMTAwMDAwMFowHjEcMBoGA1UEAwwTTmV2ZSB0ZXN0IGF1dGhvcml0
eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOt/S2wBKrnxFB0CONYb6tEF/aX9
sGwjoqkI6qNbk9FyOHqZA5wIFIxKKXt3YtfbiiO5/33CxA7Eh0imTsqS5tCjQjBA
MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMB0GA1UdDgQWBBS5dG/t
OCYCLdsqX0QEuNwPrD05/jAKBggqhkjOPQQDAgNHADBEAiBlRWd0vzvBEX8920g3
JX9/jgs+Z2ypat0axqCUUwefjgIgdPChXF4aVC6FgThwaqHHr6MO8G8Ff4NZlDvh
Tmk2q3o=
-----END CERTIFICATE-----
`;

const server = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3k8VtC9SS7aSecC7
s8gneCNheBlqBjgN35BlgGF8axuhRANCAATkgcaaBlCUh1yPtUXseP25t0HQ9c0D
PUAC2cf9V4PnH/VWBu6acYDSrFQifCMN8JiHIQuKvwpNfEdh/LoSR75S
-----END PRIVATE KEY-----
`,
  certificate: `-----BEGIN CERTIFICATE-----
MIIBkjCCATegAwIBAgIUbvmVxuYe2atRb/gli8JsWpCOsuAwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTTmV2ZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBa
GA8yMTIwMDEwMTAwMDAwMFowETEPMA0GA1UEAwwGc2VydmVyMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAE5IHGmgZQlIdcj7VF7Hj9ubdB0PXNAz1AAtnH/VeD5x/1
VgbumnGA0qxUInwjDfCYhyELir8KTXxHYfy6Eke+UqNeMFwwGgYDVR0RBBMwEYcE
fwAAAYIJbG9jYWxob3N0MB0GA1UdDgQWBBSVmHflU9DicQEelI8UPPyFUIrBNjAf
BgNVHSMEGDAWgBS5dG/tOCYCLdsqX0QEuNwPrD05/jAKBggqhkjOPQQDAgNJADBG
AiEAg1+pMGKW1yGqYG+Pe6CsFQNgdnJPefDDJDE+y/X6QE4CIQDqRxUBni6Wu77o
tDGYnEU0U0tW8kMP8RYSc6PbCzVQpw==
-----END CERTIFICATE-----
`,
};

const client = {
  privateKey: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9Dcq/7uTmmoWMa6R
U8qjb0hCBYKJiIt35EVnIt+a39ihRANCAAQ32BKrzSCkW2io1lpbLKW8mmsQChHp
bGD7y0IyKKR7iLQs7xwzbGNbA+R5mGTlg/b5iBudwcF2RfsKydqYNTA4
-----END PRIVATE KEY-----
`,
  certificate: `-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIUFb3uJQqgnTRfYGLmZM9AgP3DeaEwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTTmV2ZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBa
GA8yMTIwMDEwMTAwMDAwMFowETEPMA0GA1UEAwwGY2xpZW50MFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAEN9gSq80gpFtoqNZaWyylvJprEAoR6Wxg+8tCMiike4i0
LO8cM2xjWwPkeZhk5YP2+YgbncHBdkX7CsnamDUwOKNeMFwwGgYDVR0RBBMwEYcE
fwAAAYIJbG9jYWxob3N0MB0GA1UdDgQWBBSlKAcPV8pC2vyLo4q/4j378hwZ/DAf
BgNVHSMEGDAWgBS5dG/tOCYCLdsqX0QEuNwPrD05/jAKBggqhkjOPQQDAgNIADBF
AiEAwd4O0c2igZ/XEu4U46R3B6lJ5pcYiOl0dwwS85GLAgYCIGvkUvltyikiY5tL
5KFcvDX6A2AhkAyQf2dPse8fNKYG
-----END CERTIFICATE-----
`,
};

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

type Seen = { readonly url: string; readonly names: (string | undefined)[] };

/** `names` are those in the certificates that clients showed. */
async function serve(listener: RequestListener): Promise<Seen> {
  const names: (string | undefined)[] = [];
  const { key, certificate: cert } = server;
  const it = createServer(
    { key, cert, ca, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      names.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined);
      listener(request, response);
    },
  );
  await new Promise<void>((done) => it.listen(0, '127.0.0.1', done));
  cleanups.push(() => {
    it.closeAllConnections();
    return new Promise((done) => it.close(done));
  });
  return { url: `https://127.0.0.1:${(it.address() as AddressInfo).port}`, names };
}

async function get(baseUrl: string, tls: TlsSettings): Promise<number> {
  const it = new HttpClient({ baseUrl, tls, retry: { baseDelayMs: 1 } });
  cleanups.push(() => it[Symbol.asyncDispose]());
  const response = await it.request({ method: 'GET', url: 'file' });
  await response.discard();
  return response.status;
}

test('an authority that is not known is an error at once, with what to do', async () => {
  const { url, names } = await serve((_, response) => response.end());
  await expect(get(url, {})).rejects.toThrow(
    /the connection is not secure: .*; add the certificate of the authority/,
  );
  expect(names).toEqual([]);
});

test('a given authority is trusted', async () => {
  const { url, names } = await serve((_, response) => response.end());
  expect(await get(url, { ca })).toBe(200);
  expect(names).toEqual([undefined]);
});

test("the client's certificate is shown to the host of the base URL only", async () => {
  const other = await serve((_, response) => response.end());
  const { url, names } = await serve((_, response) => response.writeHead(302, { location: other.url }).end());
  expect(await get(url, { ca, ...client })).toBe(200);
  expect(names).toEqual(['client']);
  expect(other.names).toEqual([undefined]);
});
