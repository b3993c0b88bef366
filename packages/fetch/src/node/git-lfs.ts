/**
 * The contents of files that a git repository keeps elsewhere, by git-lfs. In the tree such a file is a pointer:
 *
 *     version https://git-lfs.github.com/spec/v1
 *     oid sha256:<64 hexadecimal digits>
 *     size <bytes>
 *
 * git-lfs downloads what a commit points to into the repository, `lfs/objects/<2 digits>/<2 digits>/<64 digits>`; from there it
 * is put into the tree, after its hash was looked at.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { descend, parsePath } from '@neve/castore';
import type { BlobService, Node } from '@neve/castore';
import { FetchError } from '../fetch-error.ts';
import { graft } from '../graft.ts';
import type { FetchContext } from './fetch-context.ts';
import { runProgram } from './run-program.ts';

export type LfsCommit = {
  readonly repository: string;
  readonly revision: string;
  /** What it was fetched from. */
  readonly base: string;
};

type Options = { readonly context: FetchContext; readonly signal: AbortSignal | undefined };

type LfsFile = { readonly path: string; readonly oid: string };

/**
 * The tree with the contents in place of the pointers. Throws `FetchError`: `unsupported` without git-lfs, `not-found`,
 * `corrupt`.
 */
export async function withLfsContents(root: Node, commit: LfsCommit, options: Options): Promise<Node> {
  const { context, signal } = options;
  const files = await listFiles(commit, options);
  if (files.length > 0) await runLfs(['fetch', 'origin', commit.revision], commit, options);
  let node = root;
  for (const { path, oid } of files) {
    const components = parsePath(path);
    const pointer = await descend(context.directories, node, components, signal);
    // It may have been left out of the tree.
    if (pointer?.kind !== 'file') continue;
    const file = await storeObject(commit, { path, oid }, options);
    node = await graft(context.directories, node, {
      path: components,
      node: { ...file, executable: pointer.executable },
    });
  }
  return node;
}

/** Lines of an id, `*` or `-`, and a path. */
async function listFiles(commit: LfsCommit, options: Options): Promise<readonly LfsFile[]> {
  const output = await runLfs(['ls-files', '--long', commit.revision], commit, options);
  return output.split('\n').flatMap((line) => {
    const [, oid, path] = /^([0-9a-f]{64}) [*-] (.*)$/.exec(line) ?? [];
    return oid === undefined || path === undefined ? [] : [{ oid, path }];
  });
}

async function runLfs(args: readonly string[], commit: LfsCommit, options: Options): Promise<string> {
  const { context, signal } = options;
  const settings = [['remote.origin.url', commit.base]] as const;
  const { code, stdout, stderr } = await runProgram(['git-lfs', ...args], {
    cwd: '/',
    environment: { ...context.git.variables(settings), GIT_DIR: await gitDirOf(commit.repository) },
    signal,
  });
  if (code === 0) return stdout.toString();
  throw new FetchError('not-found', `'git-lfs ${args[0]}' failed for '${commit.repository}': ${stderr}`);
}

async function storeObject(
  { repository }: LfsCommit,
  { path, oid }: LfsFile,
  { context, signal }: Options,
): Promise<Extract<Node, { kind: 'file' }>> {
  const object = join(await gitDirOf(repository), 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
  const hasher = context.hashes.create('sha256');
  const stored = await storeFile(object, context.blobs, { watch: (piece) => hasher.update(piece), signal });
  if (hasher.digest().format('hex') === oid) return stored;
  throw new FetchError('corrupt', `git-lfs gave other contents for '${path}' than those of sha256:${oid}`);
}

async function storeFile(
  path: string,
  blobs: BlobService,
  {
    watch,
    signal,
  }: { readonly watch: (piece: Uint8Array) => void; readonly signal: AbortSignal | undefined },
): Promise<Extract<Node, { kind: 'file' }>> {
  await using writer = await blobs.create(signal);
  let size = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    watch(piece);
    size += piece.length;
    await writer.write(piece);
  }
  return { kind: 'file', digest: await writer.close(), size, executable: false };
}

async function gitDirOf(repository: string): Promise<string> {
  const dotGit = join(repository, '.git');
  return (await stat(dotGit).catch(() => undefined)) === undefined ? repository : dotGit;
}
