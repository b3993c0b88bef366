/**
 * Following symbolic links. `EvalIO` looks at paths as they are; Nix follows the links of a path's parents always, and
 * the last one where it says so.
 */
import { byteKey, concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { type EvalIO, EvalIOError, type FileType } from './eval-io.ts';
import { type Steps, need } from './steps.ts';

const slash = 0x2f;
/** As many links as Linux follows. */
const maximumLinks = 40;

export class PathResolver {
  readonly #io: EvalIO;
  /** Paths of directories that have no links in them. */
  readonly #plainDirectories = new Set<string>();
  /** Such directories by the other paths that lead there. */
  readonly #directories = new Map<string, Uint8Array>();

  constructor(io: EvalIO) {
    this.#io = io;
  }

  /** The path with the links of its parents followed; the last component stays what it is. */
  *parents(path: Uint8Array): Steps<Uint8Array> {
    const end = path.lastIndexOf(slash);
    if (end <= 0) return path;
    const above = path.subarray(0, end);
    const directory = yield* this.#directory(above, maximumLinks);
    return directory === above ? path : join(directory, path.subarray(end + 1));
  }

  /** What a path is, the links of its parents followed. */
  *type(path: Uint8Array): Steps<FileType | undefined> {
    const type = this.#io.fileType(this.#plainPath(path) ?? (yield* this.parents(path)));
    return type instanceof Promise ? yield* need(type) : type;
  }

  /** The path with all links followed; `undefined` where nothing is there. */
  *all(path: Uint8Array, links: number = maximumLinks): Steps<Uint8Array | undefined> {
    const resolved = yield* this.parents(path);
    const type = yield* need(this.#io.fileType(resolved));
    if (type === undefined) return undefined;
    if (type !== 'symlink') return resolved;
    const target = yield* this.#target(resolved, links);
    return yield* this.all(target, links - 1);
  }

  /** The path with its last component followed while that is a link; links of its parents are not replaced. */
  *lastLink(path: Uint8Array): Steps<Uint8Array> {
    let at = path;
    for (let links = maximumLinks; at.length > 1; links -= 1) {
      const resolved = yield* this.parents(at);
      if ((yield* need(this.#io.fileType(resolved))) !== 'symlink') break;
      at = yield* this.#target(resolved, links, at);
    }
    return at;
  }

  /** The path itself if it is known that no parent is a link. This is asked for nearly every path, and mostly true. */
  #plainPath(path: Uint8Array): Uint8Array | undefined {
    const end = path.lastIndexOf(slash);
    return end <= 0 || this.#plainDirectories.has(byteKey(path.subarray(0, end))) ? path : undefined;
  }

  /** A directory without links; the array that was given where it has none. */
  *#directory(path: Uint8Array, links: number): Steps<Uint8Array> {
    if (path.length === 0) return path;
    const key = byteKey(path);
    if (this.#plainDirectories.has(key)) return path;
    const known = this.#directories.get(key);
    if (known !== undefined) return known;
    const end = path.lastIndexOf(slash);
    const above = path.subarray(0, end);
    const parent = yield* this.#directory(above, links);
    const resolved = parent === above ? path : join(parent, path.subarray(end + 1));
    const found = this.#io.fileType(resolved);
    const type = found instanceof Promise ? yield* need(found) : found;
    // What is not there yet may become anything.
    if (type === undefined) return resolved;
    if (type !== 'symlink' && resolved === path) {
      this.#plainDirectories.add(key);
      return path;
    }
    const target =
      type === 'symlink' ? yield* this.#directory(yield* this.#target(resolved, links), links - 1) : resolved;
    this.#directories.set(key, target);
    return target;
  }

  /** Where a link leads that is called `name`. */
  *#target(link: Uint8Array, links: number, name: Uint8Array = link): Steps<Uint8Array> {
    if (links === 0) {
      const message = `too many symbolic links encountered while traversing the path '${decodeUtf8(name)}'`;
      throw new EvalIOError('symlink-loop', message, { path: link });
    }
    const target = yield* need(this.#io.readLink(link));
    const base = target[0] === slash ? new Uint8Array() : name.subarray(0, name.lastIndexOf(slash));
    return normalise(concatBytes([base, encodeUtf8('/'), target]));
  }
}

/** `directory` is "" for the root. */
export function join(directory: Uint8Array, name: Uint8Array): Uint8Array {
  const joined = new Uint8Array(directory.length + 1 + name.length);
  joined.set(directory);
  joined[directory.length] = slash;
  joined.set(name, directory.length + 1);
  return joined;
}

/** Without `.`, `..`, empty components and a slash at the end. */
export function normalise(path: Uint8Array): Uint8Array {
  const components: Uint8Array[] = [];
  let start = 0;
  while (start <= path.length) {
    const next = path.indexOf(slash, start);
    const end = next < 0 ? path.length : next;
    const component = path.subarray(start, end);
    const name = component.length <= 2 ? decodeUtf8(component) : '';
    if (name === '..') components.pop();
    else if (component.length > 0 && name !== '.') components.push(component);
    start = end + 1;
  }
  if (components.length === 0) return encodeUtf8('/');
  return components.reduce((path, component) => join(path, component), new Uint8Array());
}
