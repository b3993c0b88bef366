/** What a revision of a git repository is: a commit with its tree and its time. */
import { CastoreError } from '../castore-error.ts';
import { GitRepository } from './git-repository.ts';

export type GitRevision = {
  /** The full id, hexadecimal: 40 digits, or 64 where the repository has SHA-256. */
  readonly commit: string;
  /** The id of its tree. */
  readonly tree: string;
  /** When it was committed, in seconds since 1970. */
  readonly commitTimeSeconds: number;
  /** How many commits it has behind it, itself included; if it was asked for. */
  readonly revCount?: number;
};

export type ResolveRevisionOptions = {
  /** Counts the commits, which takes time in a long history and is impossible in a shallow clone. */
  readonly revCount?: boolean;
  readonly signal?: AbortSignal;
};

/**
 * The commit that a branch, tag, id or anything else that git understands stands for. Throws `CastoreError`: `not-found`
 * for an unknown revision or repository, `unsupported` for a count in a shallow clone and where git is missing, `io`.
 */
export async function resolveRevision(
  repository: string | GitRepository,
  revision: string,
  { revCount = false, signal }: ResolveRevisionOptions = {},
): Promise<GitRevision> {
  const git = typeof repository === 'string' ? await GitRepository.open(repository) : repository;
  if (revision === '' || revision.startsWith('-') || revision.includes('\0')) {
    throw new CastoreError(
      'not-found',
      `'${revision}' cannot be a git revision; name a branch, a tag or a commit`,
    );
  }
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const { code, stdout, stderr } = await git.run(args, { signal });
  if (code !== 0) throw unknownRevision(git, revision, stderr);
  const commit = stdout.toString('latin1').trim();
  const found = { commit, ...parseCommit(await git.output(['cat-file', 'commit', commit], { signal })) };
  return revCount ? { ...found, revCount: await countCommits(git, commit, signal) } : found;
}

/** `commit` is a full id. */
export async function hasCommit(git: GitRepository, commit: string, signal?: AbortSignal): Promise<boolean> {
  const { code } = await git.run(['cat-file', '-e', `${commit}^{commit}`], { signal });
  return code === 0;
}

/** Lines of a keyword and a value, an empty line, the message. */
function parseCommit(bytes: Buffer): Pick<GitRevision, 'tree' | 'commitTimeSeconds'> {
  const text = bytes.toString('latin1');
  const head = text.slice(0, text.indexOf('\n\n'));
  const tree = /^tree ([0-9a-f]+)$/m.exec(head)?.[1];
  const time = /^committer .*?(-?\d+) [+-]\d+$/m.exec(head)?.[1];
  if (tree === undefined || time === undefined)
    throw new CastoreError('corrupt', 'a git commit is malformed');
  return { tree, commitTimeSeconds: Number(time) };
}

async function countCommits(git: GitRepository, commit: string, signal?: AbortSignal): Promise<number> {
  const isShallow = (await git.output(['rev-parse', '--is-shallow-repository'], { signal }))
    .toString()
    .trim();
  if (isShallow === 'true') {
    throw new CastoreError(
      'unsupported',
      `the commits in '${git.path}' cannot be counted, as it is a shallow clone; run 'git fetch --unshallow' in it`,
    );
  }
  return Number((await git.output(['rev-list', '--count', commit], { signal })).toString());
}

function unknownRevision(git: GitRepository, revision: string, complaint: string): CastoreError {
  // Not a repository after all, or one of a kind that this git does not know.
  if (complaint.startsWith('fatal: ') && !complaint.includes(revision)) return git.failure(complaint);
  return new CastoreError(
    'not-found',
    `the git repository '${git.path}' has no commit '${revision}'; fetch it, or name one that 'git log' shows`,
  );
}
