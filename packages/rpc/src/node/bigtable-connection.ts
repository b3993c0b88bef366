/**
 * The channel to Bigtable: to Google with the key of a service account, or to an emulator without encryption.
 *
 * A service account has a private key, with which a claim is signed that Google gives an access token for; a token is
 * good for an hour. Source: developers.google.com, "Using OAuth 2.0 for Server to Server Applications".
 */
import { createSign } from 'node:crypto';
import type { ChannelCredentials, Metadata } from '@grpc/grpc-js';
import { RpcError } from '../rpc-error.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { loadGrpc, sharedOptions, type GrpcModule } from './load-grpc.ts';

export type BigtableConnection = {
  /** `host:port` of an emulator, as the variable `BIGTABLE_EMULATOR_HOST` has it, or `unix:///path`. */
  readonly emulatorHost?: string;
  /** The JSON of a service account's key, as Google gives it out. Needed without an emulator. */
  readonly serviceAccount?: string;
  /** How long the service may be silent, in milliseconds. */
  readonly timeoutMs?: number;
};

const bigtableHost = 'bigtable.googleapis.com:443';
const scope = 'https://www.googleapis.com/auth/bigtable.data';

/** A token is renewed this long before its end. */
const renewalMs = 60_000;

/** Throws `RpcError` (`unauthenticated`) without an emulator and a usable key. */
export async function openBigtableChannel(options: BigtableConnection): Promise<GrpcChannel> {
  const grpc = await loadGrpc();
  const target = options.emulatorHost ?? bigtableHost;
  const credentials =
    options.emulatorHost === undefined
      ? googleCredentials(grpc, options.serviceAccount)
      : grpc.credentials.createInsecure();
  const client = new grpc.Client(target.replace(/^unix:\/\//, 'unix:'), credentials, sharedOptions);
  return new GrpcChannel(grpc, client, options.timeoutMs);
}

function googleCredentials(grpc: GrpcModule, serviceAccount: string | undefined): ChannelCredentials {
  if (serviceAccount === undefined) {
    throw new RpcError('unauthenticated', 'Bigtable needs the key of a service account, or an emulator');
  }
  const tokens = new AccessTokens(parseServiceAccount(serviceAccount));
  const call = grpc.credentials.createFromMetadataGenerator((_, callback) => {
    void answerWith(callback, async () => authorization(grpc, await tokens.get()));
  });
  return grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(), call);
}

type Callback<T> = (error: Error | null, value?: T) => void;

async function answerWith<T>(callback: Callback<T>, work: () => Promise<T>): Promise<void> {
  let value: T;
  try {
    value = await work();
  } catch (error) {
    callback(error as Error);
    return;
  }
  callback(null, value);
}

function authorization(grpc: GrpcModule, token: string): Metadata {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

export type ServiceAccount = {
  readonly email: string;
  /** In PEM. */
  readonly privateKey: string;
  readonly tokenUrl: string;
};

/** Throws `RpcError` (`unauthenticated`). No message shows the key. */
export function parseServiceAccount(json: string): ServiceAccount {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new RpcError('unauthenticated', 'the key of the service account is no JSON');
  }
  const field = (name: string): string => {
    const value = typeof parsed === 'object' && parsed !== null && (parsed as Record<string, unknown>)[name];
    if (typeof value === 'string') return value;
    throw new RpcError('unauthenticated', `the key of the service account has no '${name}'`);
  };
  return { email: field('client_email'), privateKey: field('private_key'), tokenUrl: field('token_uri') };
}

/** The current token of an account, asked for when it is needed. */
export class AccessTokens {
  readonly #account: ServiceAccount;
  #current: { readonly token: Promise<string>; endsMs: number } | undefined;

  constructor(account: ServiceAccount) {
    this.#account = account;
  }

  /** Throws `RpcError` (`unauthenticated`) when Google gives none. */
  get(): Promise<string> {
    if (this.#current !== undefined && Date.now() < this.#current.endsMs) return this.#current.token;
    const current = { token: Promise.resolve(''), endsMs: Infinity };
    current.token = this.#request().then(
      ({ token, lifetimeMs }) => {
        current.endsMs = Date.now() + lifetimeMs - renewalMs;
        return token;
      },
      (error: unknown) => {
        current.endsMs = 0;
        throw error;
      },
    );
    this.#current = current;
    return current.token;
  }

  async #request(): Promise<{ readonly token: string; readonly lifetimeMs: number }> {
    const response = await fetch(this.#account.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: signClaim(this.#account),
      }),
      signal: AbortSignal.timeout(30_000),
    });
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    const { access_token: token, expires_in: lifetime } = answer;
    if (!response.ok || typeof token !== 'string' || typeof lifetime !== 'number') {
      throw new RpcError('unauthenticated', `no access token for ${this.#account.email}: ${response.status}`);
    }
    return { token, lifetimeMs: lifetime * 1000 };
  }
}

/** A JSON web token, RFC 7519, signed with RS256. */
function signClaim({ email, privateKey, tokenUrl }: ServiceAccount): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claim = { iss: email, scope, aud: tokenUrl, iat: now, exp: now + 3600 };
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claim)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
}
