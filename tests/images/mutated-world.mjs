// A folder that programs depend on in every way that an evaluation can, and changes of it.

import * as fs from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('../lib/random.mjs').Random} Random */

/**
 * What decides an evaluation besides its program.
 *
 * @typedef {{ folder: string, environment: Record<string, string | undefined>, system: string }} World
 */

/**
 * @param {string} folder
 * @returns {World}
 */
export function makeWorld(folder) {
  const at = (/** @type {string} */ name) => join(folder, name);
  for (const name of [
    'dir',
    'tree/deep',
    'one',
    'two',
    'maybe-dir',
    'package',
    'search',
    'search-two',
    'spare',
  ]) {
    fs.mkdirSync(at(name), { recursive: true });
  }
  const files = {
    'config.nix': '{ value = 1; }',
    'data.txt': 'data 000',
    'other.txt': 'other 00',
    'dir/a': '',
    'dir/b': '',
    'tree/run.sh': 'run',
    'tree/skip': 'skip',
    'tree/deep/file': 'deep',
    'one/nested.nix': '"from one"',
    'two/nested.nix': '"from two"',
    'package/default.nix': '{ package = true; }',
    'search/x.nix': '"found"',
    'search-two/x.nix': '"found elsewhere"',
    'spare/run.sh': 'spare',
    kind: '',
  };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(at(name), text);
  fs.symlinkSync('data.txt', at('link.txt'));
  fs.symlinkSync('one', at('way'));
  fs.symlinkSync('run.sh', at('tree/link'));
  return { folder, environment: { SOME: 'some' }, system: 'x86_64-linux' };
}

/**
 * Parts of programs, by what they depend on.
 *
 * @param {string} at
 * @returns {Record<string, string>}
 */
export function programParts(at) {
  return {
    import: `import ${at}/config.nix`,
    parentLink: `import ${at}/way/nested.nix`,
    contents: `builtins.readFile ${at}/data.txt`,
    link: `builtins.readFile ${at}/link.txt`,
    absent: `map builtins.pathExists [ ${at}/maybe ${at}/maybe-dir/inner ${at}/data.txt/x ]`,
    listing: `builtins.readDir ${at}/dir`,
    type: `builtins.readFileType ${at}/kind`,
    variable: `[ (builtins.getEnv "SOME") (builtins.getEnv "OTHER") ]`,
    tree: `"\${${at}/tree}"`,
    filter: `builtins.filterSource (path: type: baseNameOf path != "skip") ${at}/tree`,
    flat: `builtins.path { path = ${at}/data.txt; name = "d"; recursive = false; }`,
    digest: `builtins.hashFile "sha1" ${at}/data.txt`,
    setting: `builtins.currentSystem`,
    clock: `builtins.currentTime > 5`,
    derivation: `(derivation { name = "x"; builder = ${at}/tree/run.sh; system = "s"; }).drvPath`,
    directory: `import ${at}/package`,
    search: `import <x.nix>`,
    message: `builtins.trace (builtins.readFile ${at}/other.txt) 1`,
  };
}

/** @type {Record<string, (world: World, random: Random) => void>} */
export const mutations = {
  contents: (world, random) => write(world, 'config.nix', `{ value = ${random.below(5)}; }`),
  'contents of the same size': (world, random) => write(world, 'data.txt', `data ${random.below(900) + 100}`),
  'contents of the same size and time'(world, random) {
    const path = join(world.folder, 'data.txt');
    const { atime, mtime } = fs.statSync(path);
    write(world, 'data.txt', `data ${random.below(900) + 100}`);
    fs.utimesSync(path, atime, mtime);
  },
  'contents of what is only said': (world, random) => write(world, 'other.txt', `other ${random.below(90)}`),
  'another file in its place'(world, random) {
    write(world, 'new', `data ${random.below(900) + 100}`);
    fs.renameSync(join(world.folder, 'new'), join(world.folder, 'data.txt'));
  },
  'the same contents': (world) =>
    write(world, 'data.txt', fs.readFileSync(join(world.folder, 'data.txt'), 'utf8')),
  'time only': (world) => fs.utimesSync(join(world.folder, 'config.nix'), 1, 1),
  mode: (world, random) => fs.chmodSync(join(world.folder, 'tree/run.sh'), random.oneIn(2) ? 0o755 : 0o644),
  'mode of contents': (world, random) =>
    fs.chmodSync(join(world.folder, 'data.txt'), random.oneIn(2) ? 0o755 : 0o644),
  entry: (world, random) => toggle(world, `dir/${random.pick(['c', 'd'])}`),
  'type of an entry': (world) => toggleDirectory(world, 'dir/a'),
  appearance: (world) => toggle(world, 'maybe'),
  'appearance in a directory': (world) => toggle(world, 'maybe-dir/inner'),
  'appearance of a directory'(world) {
    const from = join(world.folder, 'maybe-dir');
    const to = join(world.folder, 'maybe-gone');
    if (fs.existsSync(from)) fs.renameSync(from, to);
    else fs.renameSync(to, from);
  },
  type: (world) => toggleDirectory(world, 'kind'),
  variable: (world, random) => setVariable(world, 'SOME', random.pick(['some', 'else', '', undefined])),
  'variable that was not set': (world, random) =>
    setVariable(world, 'OTHER', random.pick([undefined, '', 'other'])),
  'variable of nobody': (world, random) => setVariable(world, 'NOBODY', String(random.below(9))),
  setting(world, random) {
    world.system = random.pick(['x86_64-linux', 'aarch64-linux']);
  },
  'target of a link': (world, random) => link(world, 'link.txt', random.pick(['data.txt', 'other.txt'])),
  'target of a parent': (world, random) => link(world, 'way', random.pick(['one', 'two'])),
  'contents behind a link': (world, random) => write(world, 'one/nested.nix', `"${random.below(3)}"`),
  'contents in a tree': (world, random) => write(world, 'tree/deep/file', `deep ${random.below(4)}`),
  'contents that a filter skips': (world, random) => write(world, 'tree/skip', `skip ${random.below(4)}`),
  'entry in a tree': (world) => toggle(world, 'tree/deep/more'),
  'target in a tree': (world, random) => link(world, 'tree/link', random.pick(['run.sh', 'deep'])),
  'directories changed about': (world) => swap(world, 'tree', 'spare'),
  'files changed about': (world) => swap(world, 'data.txt', 'other.txt'),
  'contents of a default': (world, random) =>
    write(world, 'package/default.nix', `{ package = ${random.below(4)}; }`),
  'directory of the search path': (world) => swap(world, 'search', 'search-two'),
  'entry of the search path': (world) => swap(world, 'search/x.nix', 'search/y.nix'),
};

/** @param {World} world @param {string} name @param {string} text */
function write({ folder }, name, text) {
  const path = join(folder, name);
  if (!fs.existsSync(join(path, '..'))) return;
  fs.writeFileSync(path, text);
}

/** @param {World} world @param {string} name */
function toggle(world, name) {
  const path = join(world.folder, name);
  if (fs.existsSync(path)) fs.rmSync(path);
  else write(world, name, 'here');
}

/** @param {World} world @param {string} name */
function toggleDirectory({ folder }, name) {
  const path = join(folder, name);
  const isDirectory = fs.statSync(path).isDirectory();
  fs.rmSync(path, { recursive: true });
  if (isDirectory) fs.writeFileSync(path, '');
  else fs.mkdirSync(path);
}

/** @param {World} world @param {string} name @param {string | undefined} value */
function setVariable(world, name, value) {
  world.environment = { ...world.environment, [name]: value };
}

/** @param {World} world @param {string} name @param {string} target */
function link({ folder }, name, target) {
  const path = join(folder, name);
  if (!fs.existsSync(join(path, '..'))) return;
  fs.rmSync(path, { force: true });
  fs.symlinkSync(target, path);
}

/** @param {World} world @param {string} left @param {string} right */
function swap({ folder }, left, right) {
  const names = [left, right].map((name) => join(folder, name));
  const [first = '', second = ''] = names;
  const middle = join(folder, 'between');
  if (fs.existsSync(first)) fs.renameSync(first, middle);
  if (fs.existsSync(second)) fs.renameSync(second, first);
  if (fs.existsSync(middle)) fs.renameSync(middle, second);
}
