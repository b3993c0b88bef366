import { expect, test } from 'vitest';
import type { ForgeFetch } from './fetch.ts';
import { forgeUrls, revisionInAnswer } from './forge-urls.ts';

const revision = '0123456789abcdef0123456789abcdef01234567';

function fetchOf(forge: ForgeFetch['forge'], host?: string): ForgeFetch {
  return {
    kind: 'forge',
    name: 'source',
    forge,
    host,
    owner: 'o',
    repo: 'r',
    ref: undefined,
    revision: undefined,
    narHash: undefined,
  };
}

/** The addresses that Nix 2.34 asks. */
test.each([
  [
    'github',
    undefined,
    'https://github.com/o/r/archive/REV.tar.gz',
    'https://api.github.com/repos/o/r/commits/main',
  ],
  [
    'github',
    'g.org',
    'https://g.org/api/v3/repos/o/r/tarball/REV',
    'https://g.org/api/v3/repos/o/r/commits/main',
  ],
  [
    'gitlab',
    undefined,
    'https://gitlab.com/api/v4/projects/o%2Fr/repository/archive.tar.gz?sha=REV',
    'https://gitlab.com/api/v4/projects/o%2Fr/repository/commits?ref_name=main',
  ],
  ['sourcehut', undefined, 'https://git.sr.ht/o/r/archive/REV.tar.gz', 'https://git.sr.ht/o/r/info/refs'],
] as const)('%s on %s', (forge, host, archive, commit) => {
  const urls = forgeUrls(fetchOf(forge, host));
  expect(urls.archive('REV')).toBe(archive);
  expect(urls.revision('main')).toBe(commit);
});

const other = revision.replace('0', 'f');

test.each([
  ['github', `{ "sha": "${revision}", "commit": {} }`, 'main', undefined, revision],
  ['github', '{ "message": "Not Found" }', 'main', undefined, undefined],
  ['github', '{ "sha": "../../x" }', 'main', undefined, undefined],
  ['gitlab', `[{ "id": "${revision}" }]`, 'main', undefined, revision],
  ['gitlab', '[]', 'main', undefined, undefined],
  ['sourcehut', `${other}\trefs/heads/mainx\n${revision}\trefs/heads/main\n`, 'main', undefined, revision],
  ['sourcehut', `${revision}\trefs/tags/v1\n`, 'v1', undefined, revision],
  [
    'sourcehut',
    `${other}\trefs/heads/HEAD\n${revision}\trefs/heads/trunk\n`,
    'HEAD',
    'ref: refs/heads/trunk\n',
    revision,
  ],
] as const)('%s: %s', (forge, answer, ref, head, found) => {
  expect(revisionInAnswer(forge, answer, { ref, head })).toBe(found);
});

test('an answer that is no JSON is refused', () => {
  expect(() => revisionInAnswer('github', '<html>', { ref: 'x', head: undefined })).toThrow(
    expect.objectContaining({ code: 'corrupt' }),
  );
});
