/**
 * Inputs of type `git`.
 *
 *     git+https://host/path?ref=main&rev=0123…&shallow=1&submodules=1&lfs=1&exportIgnore=1&allRefs=1
 *     git://host/path
 *
 * Parameters that are not listed stay in the URL of the repository.
 */
import {
  booleanAttribute,
  narHashAttribute,
  requiredText,
  revisionAttribute,
  textAttribute,
} from './input-attributes.ts';
import { parseGitUrl } from './git-url.ts';
import { isLegalRefName } from './git-ref-name.ts';
import { type InputScheme, invalidInput, requireFeature } from './input-scheme.ts';
import { parseNixUrl, printNixUrl, splitScheme } from './nix-url.ts';

const verificationAttributes = ['verifyCommit', 'keytype', 'publicKey', 'publicKeys'];
const textParameters: ReadonlySet<string> = new Set(['rev', 'ref', 'keytype', 'publicKey', 'publicKeys']);
const flags: ReadonlySet<string> = new Set([
  'shallow',
  'submodules',
  'lfs',
  'exportIgnore',
  'allRefs',
  'verifyCommit',
]);

export const gitScheme: InputScheme = {
  name: 'git',
  attributes: new Set([
    ...['url', 'name', 'lastModified', 'revCount', 'narHash', 'dirtyRev', 'dirtyShortRev'],
    ...textParameters,
    ...flags,
  ]),

  fromUrl(url) {
    if (url.scheme !== 'git' && splitScheme(url.scheme).application !== 'git') return undefined;
    const attributes = new Map<string, string | boolean>([['type', 'git']]);
    const query = new Map<string, string>();
    for (const [name, value] of url.query) {
      if (textParameters.has(name)) attributes.set(name, value);
      else if (flags.has(name)) attributes.set(name, value === '1');
      else query.set(name, value);
    }
    return attributes.set('url', printNixUrl({ ...url, query }));
  },

  check(attributes, features) {
    if (verificationAttributes.some((name) => attributes.has(name))) {
      requireFeature('verified-fetches', features);
      throw invalidInput(
        'Neve cannot verify the signatures of git commits; leave out verifyCommit and the keys',
      );
    }
    const ref = textAttribute(attributes, 'ref');
    if (ref !== undefined && !isLegalRefName(ref)) throw invalidInput(`invalid Git branch/tag name '${ref}'`);
    const url = printNixUrl(parseGitUrl(requiredText(attributes, 'url')));
    for (const flag of flags) booleanAttribute(attributes, flag);
    return new Map([...attributes, ['url', url]]);
  },

  toUrl(attributes) {
    const url = parseNixUrl(requiredText(attributes, 'url'));
    const query = new Map(url.query);
    const revision = revisionAttribute(attributes);
    if (revision !== undefined) query.set('rev', revision);
    const ref = textAttribute(attributes, 'ref');
    if (ref !== undefined) query.set('ref', ref);
    for (const flag of ['shallow', 'lfs', 'submodules', 'exportIgnore', 'verifyCommit']) {
      if (booleanAttribute(attributes, flag)) query.set(flag, '1');
    }
    return { ...url, scheme: url.scheme === 'git' ? 'git' : `git+${url.scheme}`, query };
  },

  isLocked(attributes) {
    const revision = revisionAttribute(attributes);
    return revision !== undefined && /[^0]/.test(revision);
  },

  toFetch(attributes) {
    const flag = (name: string): boolean => booleanAttribute(attributes, name);
    if (flag('exportIgnore') && flag('submodules')) {
      throw invalidInput('exportIgnore and submodules are not supported together yet');
    }
    return {
      kind: 'git',
      name: textAttribute(attributes, 'name') ?? 'source',
      url: requiredText(attributes, 'url'),
      ref: textAttribute(attributes, 'ref'),
      revision: revisionAttribute(attributes),
      shallow: flag('shallow'),
      submodules: flag('submodules'),
      lfs: flag('lfs'),
      exportIgnore: flag('exportIgnore'),
      allRefs: flag('allRefs'),
      narHash: narHashAttribute(attributes),
    };
  },
};
