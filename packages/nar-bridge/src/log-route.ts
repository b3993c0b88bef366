/** `log/<base name of a derivation>`: what a build printed. An output is answered with the log of its derivation. */
import { NixCompatError, type StorePath, parseStorePath } from '@neve/nix-compat';
import { type PathInfoService, formatOfEncoding } from '@neve/store';
import type { CacheRoute, RouteAnswer } from './cache-route.ts';
import type { CacheRequest, CacheResponse } from './http-exchange.ts';
import type { Decompress } from './nar-compressions.ts';
import { bodyProblem, unknownEncoding } from './request-body.ts';
import { notFound, textResponse, textType } from './text-response.ts';

/** Where the logs of builds are. */
export interface CacheLogs {
  /** Text in no particular encoding. `undefined` when there is none. */
  read(derivation: StorePath, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;

  /** The log is there when it is fulfilled, in place of an earlier one. Nothing is there when the source throws. */
  write(derivation: StorePath, log: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
}

export type LogOptions = {
  readonly logs: CacheLogs;
  readonly pathInfos: PathInfoService;
};

const maxLogBytes = 1 << 30;

export function logRoute({ logs, pathInfos }: LogOptions, decompress: Decompress | undefined): CacheRoute {
  return {
    matches: (path) => path.length === 2 && path[0] === 'log',
    async get({ signal }, [, name = '']) {
      const path = storePathOf(name);
      const derivation =
        path?.isDerivation === false ? (await pathInfos.get(path.hashPart, signal))?.deriver : path;
      const log = derivation === undefined ? undefined : await logs.read(derivation, signal);
      if (log === undefined) return notFound(`log/${name}`);
      return { status: 200, headers: { 'content-type': textType, 'cache-control': 'no-cache' }, body: log };
    },
    put: decompress === undefined ? undefined : putLog(logs, decompress),
  };
}

function putLog(logs: CacheLogs, decompress: Decompress): RouteAnswer {
  return async (request: CacheRequest, [, name = '']): Promise<CacheResponse> => {
    const derivation = storePathOf(name);
    if (derivation?.isDerivation !== true)
      return textResponse(400, `'${name}' is not the base name of a derivation`);
    const format = formatOfEncoding(request.headers['content-encoding']);
    if (format === undefined) return unknownEncoding(request.headers);
    try {
      await logs.write(
        derivation,
        decompress(request.body, format, { maxBytes: maxLogBytes }),
        request.signal,
      );
    } catch (error) {
      return bodyProblem(error, maxLogBytes);
    }
    return { status: 201, headers: { 'content-length': '0' } };
  };
}

function storePathOf(name: string): StorePath | undefined {
  try {
    return parseStorePath(name);
  } catch (error) {
    if (error instanceof NixCompatError) return undefined;
    throw error;
  }
}
