/**
 * What an archive holds, as JSON: the `root` of a cache's `<hash>.ls`, and what `nix store ls --json` prints.
 *
 *     { "type": "regular", "size": 15, "executable": true, "narOffset": 400 }
 *     { "type": "symlink", "target": "/over/there" }
 *     { "type": "directory", "entries": { "<name>": …, "<name>": {} } }
 *
 * `narOffset` is where the contents begin in the archive. An entry that is `{}` was not looked at.
 */
import { type JsonObject, type JsonValue, isJsonObject, jsonTypeName } from './json.ts';
import { NixCompatError } from './nix-compat-error.ts';

export type NarListing =
  | {
      readonly kind: 'regular';
      readonly executable: boolean;
      /** In bytes. */
      readonly size?: number | undefined;
      /** In bytes from the beginning of the archive. */
      readonly narOffset?: number | undefined;
    }
  | { readonly kind: 'symlink'; readonly target: string }
  | {
      readonly kind: 'directory';
      /** By name; `undefined` for what was not looked at. */
      readonly entries: ReadonlyMap<string, NarListing | undefined>;
    };

export function narListingToJson(listing: NarListing): JsonObject {
  switch (listing.kind) {
    case 'regular': {
      const { size, narOffset } = listing;
      return new Map<string, JsonValue>([
        ['type', 'regular'],
        ['executable', listing.executable],
        ...(size === undefined ? [] : [['size', BigInt(size)] as const]),
        ...(narOffset === undefined ? [] : [['narOffset', BigInt(narOffset)] as const]),
      ]);
    }
    case 'symlink':
      return new Map([
        ['type', 'symlink'],
        ['target', listing.target],
      ]);
    case 'directory': {
      const entries = Array.from(listing.entries, ([name, it]): [string, JsonValue] => [
        name,
        it === undefined ? new Map() : narListingToJson(it),
      ]);
      return new Map<string, JsonValue>([
        ['type', 'directory'],
        ['entries', new Map(entries)],
      ]);
    }
  }
}

/** Throws `NixCompatError` (`bad-json`), which names the path. */
export function parseNarListing(json: JsonValue): NarListing {
  return listingOf(json, '');
}

function listingOf(json: JsonValue, path: string): NarListing {
  const object = asObject(json, path);
  const type = object.get('type');
  switch (type) {
    case 'regular':
      return {
        kind: 'regular',
        executable: object.get('executable') === true,
        size: asNumber(object.get('size'), path),
        narOffset: asNumber(object.get('narOffset'), path),
      };
    case 'symlink': {
      const target = object.get('target');
      if (typeof target !== 'string') throw bad(path, 'a symbolic link has no target');
      return { kind: 'symlink', target };
    }
    case 'directory': {
      const entries = Array.from(
        asObject(object.get('entries') ?? null, path),
        ([name, it]): [string, NarListing | undefined] => [name, entryOf(it, `${path}/${name}`)],
      );
      return { kind: 'directory', entries: new Map(entries) };
    }
    default:
      throw bad(path, `its type is ${JSON.stringify(type)}`);
  }
}

function entryOf(json: JsonValue, path: string): NarListing | undefined {
  return isJsonObject(json) && json.size === 0 ? undefined : listingOf(json, path);
}

function asObject(json: JsonValue, path: string): JsonObject {
  if (isJsonObject(json)) return json;
  throw bad(path, `an object is expected, not ${jsonTypeName(json)}`);
}

function asNumber(json: JsonValue | undefined, path: string): number | undefined {
  if (json === undefined) return undefined;
  if (typeof json === 'bigint' && json >= 0n && json <= Number.MAX_SAFE_INTEGER) return Number(json);
  throw bad(path, 'a whole number up to 2^53-1 is expected');
}

function bad(path: string, problem: string): NixCompatError {
  return new NixCompatError(
    'bad-json',
    `bad listing of an archive: '${path === '' ? '/' : path}': ${problem}`,
  );
}
