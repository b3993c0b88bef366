/**
 * A text that is sent as it is or with a `Content-Encoding` that the client takes (RFC 9110, 12.5.3 and 8.4). Each encoding is
 * made once, and only of what is long enough to gain by it; the encoded forms have entity tags of their own.
 */
import { type HashFunctions, encodeHex } from '@neve/bytes';
import { hasCurrent, notModified } from './conditional.ts';
import type { CacheRequest, CacheResponse } from './http-exchange.ts';

export type ContentCoding = 'zstd' | 'br' | 'gzip';

/** In the order of preference. Without any, everything is sent as it is. */
export type ContentEncoders = Partial<
  Readonly<Record<ContentCoding, (bytes: Uint8Array) => Promise<Uint8Array>>>
>;

const codings: readonly ContentCoding[] = ['zstd', 'br', 'gzip'];

/** Less than this fits into one packet in any case. */
const minEncodedLength = 1200;

export type EncodedTextOptions = {
  /** With at least `content-type` and `cache-control`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly hashes: HashFunctions;
  readonly encoders: ContentEncoders;
};

type Form = { readonly bytes: Uint8Array; readonly headers: Readonly<Record<string, string>> };

export class EncodedText {
  readonly bytes: Uint8Array;
  readonly #options: EncodedTextOptions;
  readonly #plain: Form;
  readonly #encoded = new Map<ContentCoding, Promise<Form>>();
  readonly #etag: string;

  constructor(bytes: Uint8Array, options: EncodedTextOptions) {
    this.bytes = bytes;
    this.#options = options;
    this.#etag = encodeHex(options.hashes.hash('sha256', bytes).bytes).slice(0, 32);
    this.#plain = { bytes, headers: this.#headers(bytes, undefined) };
  }

  respond({ headers }: Pick<CacheRequest, 'headers'>): CacheResponse | Promise<CacheResponse> {
    const accepted = headers['accept-encoding'];
    const coding = accepted === undefined ? undefined : this.#choose(accepted);
    if (coding === undefined) return answer(headers, this.#plain);
    let form = this.#encoded.get(coding);
    if (form === undefined) {
      form = this.#encode(coding);
      this.#encoded.set(coding, form);
    }
    return form.then((it) => answer(headers, it));
  }

  #choose(accepted: string): ContentCoding | undefined {
    if (this.bytes.length < minEncodedLength) return undefined;
    return chooseCoding(accepted, (coding) => this.#options.encoders[coding] !== undefined);
  }

  async #encode(coding: ContentCoding): Promise<Form> {
    const bytes = await this.#options.encoders[coding]?.(this.bytes);
    if (bytes === undefined || bytes.length >= this.bytes.length) return this.#plain;
    return { bytes, headers: this.#headers(bytes, coding) };
  }

  #headers(bytes: Uint8Array, coding: ContentCoding | undefined): Readonly<Record<string, string>> {
    const suffix = coding === undefined ? '' : `-${coding}`;
    return {
      ...this.#options.headers,
      'content-length': String(bytes.length),
      etag: `"${this.#etag}${suffix}"`,
      vary: 'accept-encoding',
      ...(coding !== undefined && { 'content-encoding': coding }),
    };
  }
}

function answer(asked: CacheRequest['headers'], { bytes, headers }: Form): CacheResponse {
  const { etag = '' } = headers;
  if (hasCurrent(asked, etag)) return notModified(headers);
  return { status: 200, headers, body: bytes };
}

/** The best coding of an `Accept-Encoding`: the highest weight, then our order. `undefined` for none. */
export function chooseCoding(
  accepted: string,
  isKnown: (coding: ContentCoding) => boolean,
): ContentCoding | undefined {
  const weights = new Map<string, number>();
  for (const part of accepted.split(',')) {
    const [name = '', ...parameters] = part.split(';');
    const weight = /^\s*q=([01](?:\.[0-9]{0,3})?)\s*$/i.exec(parameters.join(';'))?.[1];
    weights.set(name.trim().toLowerCase(), weight === undefined ? 1 : Number(weight));
  }
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0;
  // What is not mentioned is acceptable as it is.
  const identity = weights.get('identity') ?? 0;
  const [best] = codings
    .filter((coding) => isKnown(coding) && weightOf(coding) > 0 && weightOf(coding) >= identity)
    .sort((a, b) => weightOf(b) - weightOf(a));
  return best;
}
