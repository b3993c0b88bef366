/**
 * The state of a work tree, and what of it belongs to the repository: the files that git tracks, as they are on the disk,
 * without those that are gone and without submodules. Whether it is dirty is git's answer; filters are left out of it,
 * as they are commands.
 */
import { join } from 'node:path';
import type { PathComponent } from '@neve/castore';
import type { GitProgram, Setting } from './git-program.ts';
import { type GitSubmodule, parseSubmodules } from './git-submodule.ts';

export type GitWorkTree = {
  /** `undefined` when there is no commit yet. */
  readonly headRevision: string | undefined;
  /** The branch that is checked out. */
  readonly headRef: string | undefined;
  readonly isDirty: boolean;
  /** Those of `.gitmodules` as it is on the disk. */
  readonly submodules: readonly GitSubmodule[];
  /** Whether a path is taken. */
  readonly includes: (path: readonly PathComponent[]) => boolean;
};

export type ReadWorkTreeOptions = {
  readonly exportIgnore: boolean;
  readonly signal: AbortSignal | undefined;
};

/** `path` is the top of the work tree. Throws `FetchError` (`unsupported`, `io`). */
export async function readWorkTree(
  git: GitProgram,
  path: string,
  { exportIgnore, signal }: ReadWorkTreeOptions,
): Promise<GitWorkTree> {
  const place = { gitDir: join(path, '.git'), workTree: path, signal };
  const call = { ...place, settings: await withoutFilters(git, place) };
  const [headRevision, headRef, listing, status, modules] = await Promise.all([
    git.line(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], call),
    git.line(['symbolic-ref', '--quiet', 'HEAD'], call),
    git.output(['ls-files', '--stage', '-z'], call),
    git.output(statusCommand, call),
    git.run(['config', '--file', '.gitmodules', '-z', '--list'], call),
  ]);
  const { gone, isDirty } = parseStatus(status);
  const files = parseListing(listing).filter((file) => !gone.has(file));
  const folders = foldersAbove(files);
  const ignored = exportIgnore ? await exportIgnored(git, call, [...folders, ...files]) : new Set<string>();
  const included = new Set([...files, ...folders].filter((it) => !ignored.has(it)));
  return {
    headRevision,
    headRef,
    isDirty,
    submodules: modules.code === 0 ? parseSubmodules(modules.stdout) : [],
    includes: (it) => included.has(it.map(({ bytes }) => latin1(bytes)).join('/')),
  };
}

const statusCommand: readonly string[] = [
  ...['status', '--porcelain=v1', '-z'],
  ...['--untracked-files=no', '--ignore-submodules=all', '--no-renames'],
];

type Call = Parameters<GitProgram['run']>[1];

/** Every filter that is configured anywhere, without its commands. */
async function withoutFilters(git: GitProgram, call: Call): Promise<readonly Setting[]> {
  const { stdout } = await git.run(['config', '--name-only', '-z', '--get-regexp', '^filter\\.'], call);
  const names = new Set(nulEnded(stdout).flatMap((key) => /^filter\.([^]*)\.[^.]*$/.exec(key)?.[1] ?? []));
  return [...names].flatMap((name): readonly Setting[] => [
    [`filter.${name}.clean`, ''],
    [`filter.${name}.smudge`, ''],
    [`filter.${name}.process`, ''],
    [`filter.${name}.required`, 'false'],
  ]);
}

/** Lines of two letters, a space and a path. A `D` in either place: it is gone from the index or the disk. */
function parseStatus(output: Buffer): { readonly gone: ReadonlySet<string>; readonly isDirty: boolean } {
  const lines = nulEnded(output);
  const gone = lines.filter((line) => line.slice(0, 2).includes('D')).map((line) => line.slice(3));
  return { gone: new Set(gone), isDirty: lines.length > 0 };
}

/** Lines of mode, id, stage, tab and path; a file with conflicts comes several times. */
function parseListing(output: Buffer): readonly string[] {
  const lines = nulEnded(output).filter((line) => !line.startsWith('160000 '));
  return [...new Set(lines.map((line) => line.slice(line.indexOf('\t') + 1)))];
}

function foldersAbove(files: readonly string[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1)) {
      const folder = file.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return folders;
}

/** By the attributes in the index, as `git archive` has it. What is below a folder that is ignored is never looked at. */
async function exportIgnored(
  git: GitProgram,
  call: Call,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  const folders = foldersAbove(paths);
  const input = paths.map((path) => `${path}${folders.has(path) ? '/' : ''}\0`).join('');
  const args = ['check-attr', '--cached', '-z', '--stdin', 'export-ignore'];
  const answers = nulEnded(await git.output(args, { ...call, input: Buffer.from(input, 'latin1') }));
  // Path, attribute and value for each.
  return new Set(paths.filter((_, index) => answers[index * 3 + 2] === 'set'));
}

/** Paths are bytes; as Latin-1 they are texts of the same length. */
function nulEnded(output: Buffer): readonly string[] {
  return output.length === 0 ? [] : output.toString('latin1', 0, output.length - 1).split('\0');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
