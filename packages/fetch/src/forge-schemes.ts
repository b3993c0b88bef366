/**
 * Inputs of the types `github`, `gitlab` and `sourcehut`: archives that a forge makes of a revision.
 *
 *     github:owner/repo[/<branch, tag or revision>][?host=…&ref=…&rev=…&narHash=…]
 */
import { isLegalRefName } from './git-ref-name.ts';
import {
  type InputAttributes,
  narHashAttribute,
  parseHash,
  printAttributes,
  requiredText,
  revisionAttribute,
  textAttribute,
} from './input-attributes.ts';
import { type InputScheme, invalidInput, revisionPattern } from './input-scheme.ts';
import type { NixUrl } from './nix-url.ts';

type Forge = 'github' | 'gitlab' | 'sourcehut';

export const forgeSchemes: readonly InputScheme[] = (['github', 'gitlab', 'sourcehut'] as const).map(
  (forge): InputScheme => ({
    name: forge,
    feature: 'flakes',
    attributes: new Set([
      ...['owner', 'repo', 'ref', 'rev', 'host'],
      ...['narHash', 'lastModified', 'treeHash'],
    ]),
    fromUrl: (url, shown) => attributesOf(forge, url, shown),
    check: checkAttributes,
    toUrl: (attributes) => urlOf(forge, attributes),
    isLocked: (attributes, { trustForges = true }) =>
      revisionAttribute(attributes) !== undefined &&
      (trustForges || narHashAttribute(attributes) !== undefined),
    toFetch: (attributes) => ({
      kind: 'forge',
      name: 'source',
      forge,
      host: textAttribute(attributes, 'host'),
      owner: requiredText(attributes, 'owner'),
      repo: requiredText(attributes, 'repo'),
      ref: textAttribute(attributes, 'ref'),
      revision: revisionAttribute(attributes),
      narHash: narHashAttribute(attributes),
    }),
  }),
);

function attributesOf(forge: Forge, url: NixUrl, shown: string): InputAttributes | undefined {
  if (url.scheme !== forge) return undefined;
  const [owner, repo, ...rest] = url.path.filter((part) => part !== '');
  if (owner === undefined || repo === undefined) throw invalidInput(`URL '${shown}' is invalid`);
  const attributes = new Map<string, string>();
  const [first = ''] = rest;
  if (rest.length === 1 && revisionPattern.test(first)) attributes.set('rev', first);
  else if (rest.length > 0) attributes.set('ref', rest.join('/'));
  for (const [name, value] of url.query) {
    const repeated = { rev: 'commit hashes', ref: 'branch/tag names' }[name];
    if (repeated !== undefined && attributes.has(name)) {
      throw invalidInput(`URL '${shown}' contains multiple ${repeated}`);
    }
    if (['rev', 'ref', 'host', 'narHash'].includes(name)) attributes.set(name, value);
  }
  return attributes.set('type', forge).set('owner', owner).set('repo', repo);
}

function checkAttributes(attributes: InputAttributes): InputAttributes {
  requiredText(attributes, 'owner');
  requiredText(attributes, 'repo');
  const ref = textAttribute(attributes, 'ref');
  const revision = textAttribute(attributes, 'rev');
  const shown = `input ${printAttributes(attributes)} contains`;
  if (ref !== undefined && revision !== undefined) {
    throw invalidInput(`${shown} both a commit hash ('${revision}') and a branch/tag name ('${ref}')`);
  }
  if (revision !== undefined) parseHash(revision, 'sha1');
  if (ref !== undefined && !isLegalRefName(ref)) throw invalidInput(`${shown} an invalid branch/tag name`);
  if (!/^[a-zA-Z0-9.-]*$/.test(textAttribute(attributes, 'host') ?? '')) {
    throw invalidInput(`${shown} an invalid instance host`);
  }
  return attributes;
}

function urlOf(forge: Forge, attributes: InputAttributes): NixUrl {
  const version = textAttribute(attributes, 'ref') ?? revisionAttribute(attributes);
  const narHash = narHashAttribute(attributes);
  const host = textAttribute(attributes, 'host');
  return {
    scheme: forge,
    authority: undefined,
    path: [
      requiredText(attributes, 'owner'),
      requiredText(attributes, 'repo'),
      ...(version === undefined ? [] : [version]),
    ],
    query: new Map([
      ...(narHash === undefined ? [] : [['narHash', narHash.format('sri')] as const]),
      ...(host === undefined ? [] : [['host', host] as const]),
    ]),
    fragment: '',
  };
}
