/**
 * The addresses at which forges tell the revision of a branch or tag, and at which the archive of a revision is; and what
 * they answer.
 *
 *     github      JSON, `{ "sha": … }`
 *     gitlab      JSON, `[{ "id": … }, …]`
 *     sourcehut   lines of an id, a tab and a reference, as git's "dumb" HTTP protocol has them; HEAD is a file of its own,
 *                 `ref: refs/heads/…`
 */
import type { ForgeFetch } from './fetch.ts';
import { FetchError } from './fetch-error.ts';

export type ForgeUrls = {
  readonly archive: (revision: string) => string;
  readonly revision: (ref: string) => string;
  /** What says which branch `HEAD` is, where that is asked for on its own. */
  readonly head: string | undefined;
};

export function forgeUrls({ forge, host, owner, repo }: ForgeFetch): ForgeUrls {
  switch (forge) {
    case 'github':
      return gitHubUrls(host ?? 'github.com', `${owner}/${repo}`);
    case 'gitlab': {
      const project = `https://${host ?? 'gitlab.com'}/api/v4/projects/${owner}%2F${repo}/repository`;
      return {
        archive: (revision) => `${project}/archive.tar.gz?sha=${revision}`,
        revision: (ref) => `${project}/commits?ref_name=${ref}`,
        head: undefined,
      };
    }
    case 'sourcehut': {
      const base = `https://${host ?? 'git.sr.ht'}/${owner}/${repo}`;
      return {
        archive: (revision) => `${base}/archive/${revision}.tar.gz`,
        revision: () => `${base}/info/refs`,
        head: `${base}/HEAD`,
      };
    }
  }
}

function gitHubUrls(host: string, project: string): ForgeUrls {
  const isPublic = host === 'github.com';
  const api = isPublic ? `https://api.${host}` : `https://${host}/api/v3`;
  return {
    archive: (revision) =>
      isPublic
        ? `https://${host}/${project}/archive/${revision}.tar.gz`
        : `${api}/repos/${project}/tarball/${revision}`,
    revision: (ref) => `${api}/repos/${project}/commits/${ref}`,
    head: undefined,
  };
}

/** The revision of `ref`; `undefined` when the answer has none. Throws `FetchError` (`corrupt`) for another kind of answer. */
export function revisionInAnswer(
  forge: ForgeFetch['forge'],
  answer: string,
  { ref, head }: { readonly ref: string; readonly head: string | undefined },
): string | undefined {
  switch (forge) {
    case 'github':
      return asRevision(memberOf(parseJson(answer, forge), 'sha'));
    case 'gitlab': {
      const list = parseJson(answer, forge);
      return asRevision(memberOf(Array.isArray(list) ? list[0] : undefined, 'id'));
    }
    case 'sourcehut': {
      const branch = /^ref:\s*(\S+)/.exec(head ?? '')?.[1];
      const names = branch === undefined ? [`refs/heads/${ref}`, `refs/tags/${ref}`] : [branch];
      const lines = answer.split('\n').map((line) => line.split('\t'));
      return asRevision(lines.find(([, name]) => name !== undefined && names.includes(name))?.[0]);
    }
  }
}

function parseJson(text: string, forge: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FetchError('corrupt', `the answer of ${forge} is no JSON; check the host`, { cause });
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function asRevision(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{40}$/.test(value) ? value : undefined;
}
