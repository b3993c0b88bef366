/**
 * The API of one cache, below `/<cache>/_api/v1`, in JSON. The router has decided what the caller may: GET is `pull`, POST and
 * PUT are `push`, DELETE is `delete`.
 *
 *     GET    info                  `{ name, publicKeys, storeDir, priority, isPublic }`
 *     POST   get-missing-paths     `{ paths: [base name] }` → `{ missing: [base name] }`, in the order in which they were given
 *     GET    pins                  `{ pins: [{ name, path }] }`
 *     PUT    pins/<name>           `{ path: base name }`; the path has to be there
 *     DELETE pins/<name>
 */
import { NixCompatError, parseStorePath } from '@neve/nix-compat';
import type { StorePath } from '@neve/nix-compat';
import type { PathInfoService, Pins } from '@neve/store';
import type { CacheRequest, CacheResponse, RequestHandler } from '../http-exchange.ts';
import { NarBridgeError } from '../nar-bridge-error.ts';
import { methodNotAllowed, notFound } from '../text-response.ts';
import type { CacheRecord } from './cache-record.ts';
import { answerOfError, jsonResponse, memberOf, readJson } from './json-exchange.ts';

export type CacheApiOptions = {
  readonly record: CacheRecord;
  /** `NAME:BASE64` of the cache's own keys. */
  readonly publicKeys: readonly string[];
  readonly storeDir: string;
  readonly pathInfos: PathInfoService;
  readonly pins: Pins;
};

export function cacheApi(options: CacheApiOptions): RequestHandler {
  return async (request) => {
    try {
      return await answer(request, options);
    } catch (error) {
      return answerOfError(error);
    }
  };
}

async function answer(request: CacheRequest, options: CacheApiOptions): Promise<CacheResponse> {
  const [, topic = '', name] = /^\/([a-z-]+)(?:\/(.+))?$/.exec(request.path) ?? [];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (topic === 'info' && name === undefined) {
    return isRead ? jsonResponse(infoOf(options)) : methodNotAllowed(['GET', 'HEAD']);
  }
  if (topic === 'get-missing-paths' && name === undefined) {
    return request.method === 'POST' ? missingPaths(request, options) : methodNotAllowed(['POST']);
  }
  if (topic !== 'pins') return notFound('this');
  if (name === undefined) return isRead ? listPins(options) : methodNotAllowed(['GET', 'HEAD']);
  return changePin(decodeName(name), request, options);
}

function infoOf({ record, publicKeys, storeDir }: CacheApiOptions): object {
  const { name, priority, isPublic } = record;
  return { name, publicKeys, storeDir, priority, isPublic };
}

async function missingPaths(request: CacheRequest, { pathInfos }: CacheApiOptions): Promise<CacheResponse> {
  const given = memberOf(await readJson(request), 'paths');
  if (!Array.isArray(given)) throw new NarBridgeError('bad-option', `the body has no list 'paths'`);
  const paths = given.map(readPath);
  const missing: string[] = [];
  for (const path of paths) {
    if (!(await pathInfos.has(path.hashPart, request.signal))) missing.push(path.baseName);
  }
  return jsonResponse({ missing });
}

async function listPins({ pins }: CacheApiOptions): Promise<CacheResponse> {
  const list = (await pins.list()).flatMap(({ name, root }) =>
    root.kind === 'path' ? [{ name, path: root.storePath.baseName }] : [],
  );
  return jsonResponse({ pins: list });
}

async function changePin(
  name: string,
  request: CacheRequest,
  { pins, pathInfos }: CacheApiOptions,
): Promise<CacheResponse> {
  if (request.method === 'DELETE') {
    if (await pins.remove(name)) return { status: 204, headers: {} };
    throw new NarBridgeError('not-found', `there is no pin '${name}'`);
  }
  if (request.method !== 'PUT') return methodNotAllowed(['PUT', 'DELETE']);
  const storePath = readPath(memberOf(await readJson(request), 'path'));
  // To be asked for is a use, which keeps it from a collection that runs now.
  if (!(await pathInfos.has(storePath.hashPart, request.signal))) {
    throw new NarBridgeError('not-found', `'${storePath.baseName}' is not in this cache; push it first`);
  }
  await pins.set({ name, root: { kind: 'path', storePath } });
  return jsonResponse({ name, path: storePath.baseName });
}

function readPath(value: unknown): StorePath {
  try {
    if (typeof value === 'string') return parseStorePath(value.replace(/^.*\//, ''));
  } catch (error) {
    if (!(error instanceof NixCompatError)) throw error;
  }
  throw new NarBridgeError('bad-option', `${JSON.stringify(value)} is no store path`);
}

function decodeName(text: string): string {
  try {
    const name = decodeURIComponent(text);
    if (new TextEncoder().encode(name).length <= 500) return name;
  } catch {
    // It is told below.
  }
  throw new NarBridgeError(
    'bad-option',
    `'${text}' cannot be the name of a pin: it has 1 to 500 bytes of UTF-8`,
  );
}
