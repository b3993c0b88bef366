// `EvalIO` in a browser: the files of one folder, which a server hands out.
//
// With `fetchedFiles` each question is a request of its own, so that evaluation has to wait for it; an answer that is
// known is given at once the next time. With `preloadedFiles` everything is there before evaluation begins.

import { decodeUtf8 } from '@neve/bytes';
import { EvalIOError } from '@neve/eval';

/**
 * What the server tells of one path: `contents` of a regular file in Base64, `entries` of a directory.
 *
 * @typedef {{ type: 'regular', contents: string } | { type: 'directory', entries: Record<string, 'regular' | 'directory' | 'symlink'> } | { type: 'symlink', target: string }} Node
 */

/** @returns {import('@neve/eval').EvalIO} */
export function fetchedFiles() {
  /** @type {Map<string, Node | undefined>} */
  const known = new Map();
  return filesIO((path) => {
    if (known.has(path)) return known.get(path);
    return fetchNode(path).then((node) => {
      known.set(path, node);
      return node;
    });
  });
}

/** @returns {Promise<import('@neve/eval').EvalIO>} */
export async function preloadedFiles() {
  const response = await fetch('/tree');
  /** @type {Record<string, Node>} */
  const tree = await response.json();
  return filesIO((path) => (Object.hasOwn(tree, path) ? tree[path] : undefined));
}

/**
 * @param {string} path
 * @returns {Promise<Node | undefined>}
 */
async function fetchNode(path) {
  const response = await fetch(`/node?path=${encodeURIComponent(path)}`);
  return response.status === 404 ? undefined : await response.json();
}

/**
 * @param {(path: string) => import('@neve/eval').Answer<Node | undefined>} lookUp
 * @returns {import('@neve/eval').EvalIO}
 */
function filesIO(lookUp) {
  /**
   * @template T
   * @param {Uint8Array} path
   * @param {(node: Node | undefined, path: string) => T} read
   * @returns {import('@neve/eval').Answer<T>}
   */
  const ask = (path, read) => {
    const name = decodeUtf8(path);
    const node = lookUp(name);
    return node instanceof Promise ? node.then((found) => read(found, name)) : read(node, name);
  };
  return {
    readFile: (path) => ask(path, contentsOf),
    fileType: (path) => ask(path, (node) => node?.type),
    readDirectory: (path) => ask(path, entriesOf),
    readLink: (path) => ask(path, targetOf),
    environmentVariable: () => undefined,
    currentTime: () => 0,
    addPathToStore: () => refuse('a path cannot be copied'),
    hashFile: () => refuse('a file cannot be hashed'),
    addTextToStore: () => refuse('a text cannot be added'),
    writeDerivation: () => {},
    isValidStorePath: () => false,
    toStorePath: () => refuse('there is no store'),
    message: () => {},
  };
}

/**
 * @param {string} what
 * @returns {never}
 */
function refuse(what) {
  throw new EvalIOError('not-supported', `${what} in this test`);
}

/**
 * @param {Node | undefined} node
 * @param {string} path
 */
function contentsOf(node, path) {
  if (node === undefined) throw new EvalIOError('not-found', `path '${path}' does not exist`);
  if (node.type === 'directory') {
    throw new EvalIOError('is-directory', `cannot read '${path}': it is a directory`);
  }
  if (node.type !== 'regular') throw new EvalIOError('unsupported-file', `cannot read '${path}'`);
  return Uint8Array.from(atob(node.contents), (character) => character.charCodeAt(0));
}

/**
 * @param {Node | undefined} node
 * @param {string} path
 */
function entriesOf(node, path) {
  if (node?.type !== 'directory') throw new EvalIOError('not-a-directory', `cannot read directory '${path}'`);
  const encoder = new TextEncoder();
  return Object.entries(node.entries).map(([name, type]) => ({ name: encoder.encode(name), type }));
}

/**
 * @param {Node | undefined} node
 * @param {string} path
 */
function targetOf(node, path) {
  if (node?.type !== 'symlink') throw new EvalIOError('not-a-symlink', `'${path}' is not a symlink`);
  return new TextEncoder().encode(node.target);
}
