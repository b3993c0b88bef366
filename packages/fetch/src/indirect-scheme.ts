/**
 * Inputs of type `indirect`: a name that a registry knows. Neve has no registry, so they can be read and printed, not fetched.
 *
 *     flake:nixpkgs[/<branch or tag>][/<revision>]
 */
import { FetchError } from './fetch-error.ts';
import { isLegalRefName } from './git-ref-name.ts';
import { requiredText, revisionAttribute, textAttribute } from './input-attributes.ts';
import { type InputScheme, invalidInput, revisionPattern } from './input-scheme.ts';

const namePattern = /^[a-zA-Z][a-zA-Z0-9_-]*$/;

export const indirectScheme: InputScheme = {
  name: 'indirect',
  feature: 'flakes',
  attributes: new Set(['id', 'ref', 'rev', 'narHash']),

  fromUrl(url, shown) {
    if (url.scheme !== 'flake') return undefined;
    const [id, second, third, ...rest] = url.path.filter((part) => part !== '');
    if (id === undefined || rest.length > 0) throw invalidInput(`GitHub URL '${shown}' is invalid`);
    const attributes = new Map<string, string>([
      ['type', 'indirect'],
      ['id', checkName(id)],
    ]);
    if (second === undefined) return attributes;
    if (third === undefined && revisionPattern.test(second)) return attributes.set('rev', second);
    if (!isLegalRefName(second)) {
      const what = third === undefined ? 'a commit hash or branch/tag name' : 'a branch/tag name';
      throw invalidInput(`in flake URL '${shown}', '${second}' is not ${what}`);
    }
    attributes.set('ref', second);
    if (third === undefined) return attributes;
    if (!revisionPattern.test(third)) {
      throw invalidInput(`in flake URL '${shown}', '${third}' is not a commit hash`);
    }
    return attributes.set('rev', third);
  },

  check(attributes) {
    checkName(requiredText(attributes, 'id'));
    return attributes;
  },

  toUrl(attributes) {
    const parts = [textAttribute(attributes, 'ref'), revisionAttribute(attributes)];
    return {
      scheme: 'flake',
      authority: undefined,
      path: [requiredText(attributes, 'id'), ...parts.filter((part) => part !== undefined)],
      query: new Map(),
      fragment: '',
    };
  },

  isLocked: () => false,

  toFetch(attributes) {
    throw new FetchError(
      'unsupported',
      `cannot find flake 'flake:${requiredText(attributes, 'id')}' in the flake registries: Neve has none; name it by a URL such as 'github:owner/repo'`,
    );
  },
};

function checkName(id: string): string {
  if (namePattern.test(id)) return id;
  throw invalidInput(`'${id}' is not a valid flake ID`);
}
