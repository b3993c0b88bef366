/**
 * The file system of one build, before anything is mounted:
 *
 *     <folder>/root/        `/`: places to mount on, `/etc`; read-only in the sandbox
 *              scratch/<n>  the n-th scratch path, for the command to write to
 *
 * `BuildRoot.mounts` says what is mounted where. Inputs that are links are made as links; directories and files are mounted
 * from their checkouts, onto an empty one of their kind.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Node } from '@neve/castore';
import { BuildError } from '../build-error.ts';
import type { BuildRequest } from '../build-request.ts';
import { isWithin, joinPath } from '../check-build-request.ts';
import { etcFiles } from './etc-files.ts';
import type { SandboxMount, SandboxPlan, SandboxUser } from './sandbox/sandbox.ts';

export type BuildRootOptions = {
  readonly request: BuildRequest;
  /** Empty. */
  readonly folder: string;
  readonly emptyFolder: string;
  readonly user: SandboxUser;
  /** By name, for all inputs but links. */
  readonly checkouts: ReadonlyMap<string, string>;
  /** A program that needs no libraries. */
  readonly binSh: string | undefined;
  /** Certificates of authorities in one file. */
  readonly caBundle: string | undefined;
};

export type BuildRoot = {
  readonly plan: SandboxPlan;
  /** Where a path below a scratch path is on the host. */
  hostPath(path: string): string;
  /** The folders of the scratch paths, without those that are in others. */
  readonly scratchFolders: readonly string[];
};

/** Throws `BuildError` (`unsupported`) for what this machine has not, and what the file system throws. */
export function makeBuildRoot(options: BuildRootOptions): BuildRoot {
  return new RootMaker(options).make();
}

type Scratch = { readonly path: string; readonly folder: string };

class RootMaker {
  readonly #options: BuildRootOptions;
  readonly #root: string;
  readonly #scratches: readonly Scratch[];
  readonly #mounts: SandboxMount[] = [];
  /** Shown where they are on the host; what is mounted over them needs no target in the root. */
  readonly #shown = new Set<string>();

  constructor(options: BuildRootOptions) {
    this.#options = options;
    this.#root = join(options.folder, 'root');
    const { scratchPaths } = options.request;
    this.#scratches = scratchPaths
      .filter((path) => !scratchPaths.some((other) => other !== path && isWithin(path, other)))
      .map((path, index) => ({ path, folder: join(options.folder, 'scratch', String(index)) }));
  }

  make(): BuildRoot {
    const { request, user, emptyFolder } = this.#options;
    const { isolation, network } = request.constraints;
    mkdirSync(this.#root, { mode: 0o755 });
    for (const name of ['dev', 'proc', 'tmp', 'etc']) mkdirSync(join(this.#root, name));
    // `runc` gives a file system the mode of the folder below it.
    chmodSync(join(this.#root, 'tmp'), 0o1777);
    if (isolation === 'none') this.#showHost();
    else this.#makeEtc();
    this.#giveAway(this.#root, 0o750);
    this.#makeScratches();
    this.#makeInputs();
    this.#makeFiles();
    this.#showHostPaths();
    if (request.workingDirectory !== '') this.#makeFolder(request.workingDirectory);
    chmodSync(join(this.#root, 'etc'), 0o555);
    const isOpen = isolation === 'none';
    return {
      plan: {
        root: this.#root,
        emptyFolder,
        mounts: this.#mounts,
        devices: isOpen ? 'host' : 'minimal',
        network: network || isOpen ? 'host' : 'none',
        user,
      },
      hostPath: (path) => this.#hostPath(path),
      scratchFolders: this.#scratches.map((it) => it.folder),
    };
  }

  /** Where a path of the sandbox is made, as long as it is not in an input. */
  #hostPath(path: string): string {
    const scratch = this.#scratches.find((it) => isWithin(path, it.path));
    if (scratch === undefined) return join(this.#root, path);
    return join(scratch.folder, path.slice(scratch.path.length));
  }

  #isScratch(path: string): boolean {
    return this.#scratches.some((it) => isWithin(path, it.path));
  }

  #makeEtc(): void {
    const { request, user, caBundle } = this.#options;
    for (const { name, text } of etcFiles(request, user.inside)) {
      writeFileSync(join(this.#root, 'etc', name), text);
    }
    if (!request.constraints.network) return;
    for (const name of ['resolv.conf', 'services', 'hosts']) this.#showFile(`/etc/${name}`, `etc/${name}`);
    if (caBundle !== undefined) this.#showFile(caBundle, 'etc/ssl/certs/ca-certificates.crt');
  }

  /** A file of the host, if there is one; it may be a link there. */
  #showFile(source: string, target: string): void {
    if (existsSync(source)) this.#mount({ source: realpathSync(source), target, access: 'read' });
  }

  #makeScratches(): void {
    const { scratchPaths, inputsDirectory } = this.#options.request;
    if (this.#scratches.length > 0) mkdirSync(join(this.#options.folder, 'scratch'), { mode: 0o755 });
    for (const { path, folder } of this.#scratches) {
      mkdirSync(folder);
      this.#giveAway(folder, path === inputsDirectory ? 0o1775 : 0o700);
      this.#makeFolder(path, this.#root);
      this.#mounts.push({ source: folder, target: path, access: 'write' });
    }
    for (const path of scratchPaths) {
      if (!this.#scratches.some((it) => it.path === path)) this.#makeFolder(path);
    }
  }

  #makeInputs(): void {
    const { request, checkouts } = this.#options;
    if (request.inputsDirectory !== '') this.#makeFolder(request.inputsDirectory);
    for (const [name, node] of request.inputs) {
      const target = joinPath(request.inputsDirectory, name);
      const source = checkouts.get(name);
      if (source === undefined) this.#makeLink(node, target);
      else this.#mount({ source, target, access: 'read' }, node.kind === 'directory');
    }
  }

  #makeLink(node: Node, target: string): void {
    if (node.kind !== 'symlink') throw new Error(`the input '${target}' has no checkout`);
    symlinkSync(Buffer.from(node.target.bytes), this.#hostPath(target));
  }

  #makeFiles(): void {
    for (const [path, bytes] of this.#options.request.files) {
      const slash = path.lastIndexOf('/');
      this.#makeFolder(path.slice(0, slash));
      const file = this.#hostPath(path);
      writeFileSync(file, bytes, { flag: 'wx' });
      this.#giveAway(file, 0o644);
    }
  }

  #showHostPaths(): void {
    const { request, binSh } = this.#options;
    const { readOnlyPaths, hostPaths, isolation } = request.constraints;
    if (isolation === 'none') return;
    if (request.constraints.binSh && !hostPaths.some((it) => it.target === '/bin/sh')) {
      if (binSh === undefined || !existsSync(binSh)) throw noShell(binSh);
      this.#mount({ source: binSh, target: 'bin/sh', access: 'read' });
    }
    for (const path of readOnlyPaths) this.#showHostPath({ source: path, target: path, optional: false });
    for (const path of hostPaths) this.#showHostPath(path);
  }

  #showHostPath({ source, target, optional }: BuildRequest['constraints']['hostPaths'][number]): void {
    const stats = lstatSync(source, { throwIfNoEntry: false });
    const inside = target.slice(1);
    if (stats === undefined) {
      if (optional) return;
      throw new BuildError('unsupported', `the build wants to see '${source}', which this machine has not`);
    }
    if (isWithin(inside, 'proc')) return;
    if (stats.isSymbolicLink()) {
      this.#makeFolder(dirname(inside) === '.' ? '' : dirname(inside));
      symlinkSync(readlinkSync(source), this.#hostPath(inside));
      return;
    }
    const isDevice = stats.isCharacterDevice() || stats.isBlockDevice() || isWithin(source, '/dev');
    const isList = this.#options.request.constraints.readOnlyPaths.includes(source);
    const access = isDevice ? 'device' : stats.isDirectory() && !isList ? 'write' : 'read';
    this.#mount({ source, target: inside, access }, stats.isDirectory());
  }

  /** Everything in the root of the host, except where the build has its own. */
  #showHost(): void {
    const { scratchPaths, inputsDirectory } = this.#options.request;
    this.#showFolder('', [...scratchPaths, inputsDirectory, 'dev', 'proc']);
  }

  #showFolder(folder: string, own: readonly string[]): void {
    for (const entry of readdirSync(`/${folder}`, { withFileTypes: true })) {
      const path = joinPath(folder, entry.name);
      if (own.includes(path)) continue;
      const host = `/${path}`;
      if (own.some((it) => isWithin(it, path))) {
        this.#makeFolder(path);
        this.#showFolder(path, own);
      } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(host), join(this.#root, path));
      else if (entry.isDirectory() || entry.isFile()) {
        this.#mount({ source: host, target: path, access: 'write' }, entry.isDirectory());
        this.#shown.add(path);
      }
    }
  }

  /** With something to mount on. */
  #mount(mount: SandboxMount, isFolder = false): void {
    const slash = mount.target.lastIndexOf('/');
    if (isFolder) this.#makeFolder(mount.target);
    else {
      this.#makeFolder(slash < 0 ? '' : mount.target.slice(0, slash));
      closeSync(openSync(this.#hostPath(mount.target), placeFlags, 0o644));
    }
    this.#mounts.push(mount);
  }

  /** All folders on the way too; those in a scratch path belong to the command. */
  #makeFolder(path: string, root?: string): void {
    if (path === '') return;
    let at = '';
    for (const component of path.split('/')) {
      at = joinPath(at, component);
      if (this.#shown.has(at)) return;
      const folder = root === undefined ? this.#hostPath(at) : join(root, at);
      const stats = lstatSync(folder, { throwIfNoEntry: false });
      // Through a link, a place would be made on the host.
      if (stats?.isSymbolicLink() === true) throw behindLink(path, at);
      if (stats !== undefined) continue;
      mkdirSync(folder, { mode: 0o755 });
      if (root === undefined && this.#isScratch(at)) this.#giveAway(folder, 0o755);
    }
  }

  #giveAway(path: string, mode: number): void {
    const { uid, gid } = this.#options.user.outside;
    if (uid !== process.getuid?.()) chownSync(path, uid, gid);
    chmodSync(path, mode);
  }
}

const placeFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

function behindLink(path: string, link: string): BuildError {
  const problem = `'/${path}' is to be in the sandbox, but '/${link}' is a symbolic link there`;
  return new BuildError('invalid-request', `${problem}; name a path without links`);
}

function noShell(named: string | undefined): BuildError {
  const found = named === undefined ? 'has no static shell for it' : `has no '${named}', which is to be it`;
  const hint = "install 'busybox-static', or name one in the option 'bin_sh'";
  return new BuildError('unsupported', `the build wants a /bin/sh, and this machine ${found}: ${hint}`);
}
