/**
 * `builtin:buildenv`: one folder that shows many packages as if they were one, by symbolic links; what a profile is.
 *
 * A folder that only one package has becomes a link to it. One that several have becomes a folder with links to what is in
 * each. Of files with the same name the one whose package has the lower priority number wins; the same number is an error.
 * What a package names in `nix-support/propagated-user-env-packages` is shown too, after all others and below them.
 *
 * Variables of the derivation: `derivations`, for each package `<true | false> <priority> <number of outputs> <path>…`,
 * where `false` hides it, and `manifest`, to which `manifest.nix` links.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { Directory, SymlinkTarget, pathComponent } from '@neve/castore';
import type { Node, PathComponent } from '@neve/castore';
import { readFile } from '../node-contents.ts';
import { RealiseError } from '../realise-error.ts';
import { requireVariable } from './builtin-context.ts';
import type { BuiltinContext } from './builtin-context.ts';
import { StorePaths, below } from './store-paths.ts';
import type { Found } from './store-paths.ts';

/** The node of the output. Throws `RealiseError` (`builtin-failed`). */
export async function buildEnvironment(context: BuiltinContext, signal?: AbortSignal): Promise<Node> {
  const { resolved } = context;
  const packages = parsePackages(requireVariable(resolved, 'derivations'));
  const profile = new Profile(context, signal);
  for (const { path, priority } of packages) await profile.add(path, priority);
  await profile.addPropagated();
  const manifest = new SymlinkTarget(encodeUtf8(requireVariable(resolved, 'manifest')));
  return profile.store(manifest);
}

type Package = { readonly path: string; readonly priority: number };

/** Those that are shown, in the order in which they are linked. */
function parsePackages(text: string): readonly Package[] {
  const words = text.split(/[ \t\n\r]+/).filter((it) => it !== '');
  const packages: Package[] = [];
  let at = 0;
  while (at < words.length) {
    const [active, priorityText = '', countText = ''] = words.slice(at, at + 3);
    const [priority, count] = [parseInteger(priorityText), parseInteger(countText)];
    at += 3;
    const paths = words.slice(at, at + count);
    if (paths.length < count) throw failed("'derivations' ends before all paths that it announces");
    at += count;
    if (active !== 'false') packages.push(...paths.map((path) => ({ path, priority })));
  }
  return packages.sort((a, b) => a.priority - b.priority || (a.path < b.path ? -1 : 1));
}

function parseInteger(text: string): number {
  const value = Number.parseInt(text, 10);
  if (Number.isNaN(value)) throw failed(`'${text}' in 'derivations' is not a number`);
  return value;
}

type Linked =
  | { readonly kind: 'folder'; readonly entries: LinkedEntries }
  | { readonly kind: 'link'; readonly target: Uint8Array; readonly priority: number };

/** By the key of the name. */
type LinkedEntries = Map<string, { readonly name: PathComponent; readonly linked: Linked }>;

type Source = {
  /** Absolute; links lead here. */
  readonly path: Uint8Array;
  readonly folder: Found;
  readonly priority: number;
};

type Target = {
  readonly entries: LinkedEntries;
  /** For messages. */
  readonly path: Uint8Array;
};

class Profile {
  readonly #context: BuiltinContext;
  readonly #signal: AbortSignal | undefined;
  readonly #paths: StorePaths;
  readonly #root: Target;
  readonly #added: Set<string> = new Set();
  #propagated: Set<string> = new Set();

  constructor(context: BuiltinContext, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#signal = signal;
    this.#paths = new StorePaths({ ...context, inputs: context.resolved.inputs });
    this.#root = { entries: new Map(), path: encodeUtf8(context.outputPath) };
  }

  async add(text: string, priority: number): Promise<void> {
    if (this.#added.has(text)) return;
    this.#added.add(text);
    const path = encodeUtf8(text);
    const folder = await this.#paths.find(path, this.#signal);
    if (folder === undefined) throw failed(`cannot read directory "${text}": No such file or directory`);
    if (folder.node.kind !== 'directory') {
      this.#context.warn(`not including "${text}" in the user environment because it's not a directory`);
      return;
    }
    await this.#link({ path, folder, priority }, this.#root);
    await this.#readPropagated(path);
  }

  /** Whatever packages wanted to be shown with them, and what these want. */
  async addPropagated(): Promise<void> {
    let priority = 1000;
    while (this.#propagated.size > 0) {
      const paths = [...this.#propagated].sort();
      this.#propagated = new Set();
      for (const path of paths) await this.add(path, priority++);
    }
  }

  async store(manifest: SymlinkTarget): Promise<Node> {
    const name = pathComponent('manifest.nix');
    await using putter = this.#context.directories.putClosure(this.#signal);
    const put = async (entries: LinkedEntries): Promise<Directory> => {
      const nodes: { name: PathComponent; node: Node }[] = [];
      for (const { name: entryName, linked } of entries.values()) {
        const node: Node =
          linked.kind === 'link'
            ? { kind: 'symlink', target: new SymlinkTarget(linked.target) }
            : (await put(linked.entries)).node;
        nodes.push({ name: entryName, node });
      }
      if (entries === this.#root.entries) nodes.push({ name, node: { kind: 'symlink', target: manifest } });
      const directory = Directory.of(nodes);
      await putter.put(directory);
      return directory;
    };
    const root = await put(this.#root.entries);
    await putter.close();
    return root.node;
  }

  async #link({ path, folder, priority }: Source, target: Target): Promise<void> {
    if (folder.node.kind !== 'directory') throw new Error('only folders are linked into a profile');
    const { entries } = await this.#paths.readDirectory(folder.node, this.#signal);
    for (const { name, node } of entries) {
      const entryPath = below(path, name);
      const shown = decodeUtf8(below(target.path, name));
      if (name.bytes[0] === dot) continue;
      const found =
        node.kind === 'symlink'
          ? await this.#paths.find(entryPath, this.#signal)
          : { path: below(folder.path, name), node };
      if (found === undefined) this.#context.warn(`skipping dangling symlink '${shown}'`);
      else if (!isLeftOut(decodeUtf8(entryPath))) {
        await this.#place(name, { path: entryPath, folder: found, priority }, target);
      }
    }
  }

  async #place(name: PathComponent, source: Source, target: Target): Promise<void> {
    const isFolder = source.folder.node.kind === 'directory';
    const earlier = target.entries.get(name.key)?.linked;
    const path = below(target.path, name);
    if (earlier === undefined) this.#setLink(name, source, target);
    else if (!isFolder) this.#placeFile(name, source, target);
    else if (earlier.kind === 'folder') await this.#link(source, { entries: earlier.entries, path });
    else {
      const merged: Target = { entries: new Map(), path };
      const folder = await this.#paths.find(earlier.target, this.#signal);
      if (folder?.node.kind !== 'directory') {
        throw failed(
          `collision between ${quoted(source.path)} and non-directory ${quoted(folder?.path ?? earlier.target)}`,
        );
      }
      target.entries.set(name.key, { name, linked: { kind: 'folder', entries: merged.entries } });
      await this.#link({ path: folder.path, folder, priority: earlier.priority }, merged);
      await this.#link(source, merged);
    }
  }

  #placeFile(name: PathComponent, source: Source, target: Target): void {
    const earlier = target.entries.get(name.key)?.linked;
    if (earlier?.kind === 'folder') {
      const shown = decodeUtf8(below(target.path, name));
      throw failed(`collision between non-directory '${decodeUtf8(source.path)}' and directory '${shown}'`);
    }
    if (earlier !== undefined && earlier.priority === source.priority) {
      throw failed(
        'Unable to build profile. There is a conflict for the following files:\n\n' +
          `  ${quoted(earlier.target)}\n  ${quoted(source.path)}`,
      );
    }
    if (earlier === undefined || earlier.priority > source.priority) this.#setLink(name, source, target);
  }

  #setLink(name: PathComponent, { path, priority }: Source, { entries }: Target): void {
    entries.set(name.key, { name, linked: { kind: 'link', target: path, priority } });
  }

  async #readPropagated(path: Uint8Array): Promise<void> {
    const [support, list] = ['nix-support', 'propagated-user-env-packages'].map(pathComponent);
    if (support === undefined || list === undefined) return;
    const file = await this.#paths.findFile(below(below(path, support), list), this.#signal);
    if (file === undefined) return;
    const text = decodeUtf8(await readFile(file, this.#context.blobs, this.#signal));
    for (const word of text.split(/[ \n]+/)) {
      if (word !== '' && !this.#added.has(word)) this.#propagated.add(word);
    }
  }
}

const dot = 0x2e;

/** Files that every package has one of, so that they would collide, and that are of no use in a profile. */
const leftOut = [
  '/propagated-build-inputs',
  '/nix-support',
  '/perllocal.pod',
  '/info/dir',
  '/log',
  '/manifest.nix',
  '/manifest.json',
] as const;

function isLeftOut(path: string): boolean {
  return leftOut.some((it) => path.endsWith(it));
}

function quoted(path: Uint8Array): string {
  return `"${decodeUtf8(path)}"`;
}

function failed(message: string): RealiseError {
  return new RealiseError('builtin-failed', message);
}
