/**
 * Inputs of type `hg`.
 *
 *     hg+https://host/path?ref=default&rev=0123…
 */
import { narHashAttribute, requiredText, revisionAttribute, textAttribute } from './input-attributes.ts';
import { type InputScheme, invalidInput } from './input-scheme.ts';
import { parseNixUrl, printNixUrl } from './nix-url.ts';

export const mercurialScheme: InputScheme = {
  name: 'hg',
  attributes: new Set(['url', 'ref', 'rev', 'revCount', 'narHash', 'name']),

  fromUrl(url) {
    const transport = /^hg\+(https?|ssh|file)$/.exec(url.scheme)?.[1];
    if (transport === undefined) return undefined;
    const attributes = new Map<string, string>([['type', 'hg']]);
    const query = new Map<string, string>();
    for (const [name, value] of url.query) {
      (name === 'rev' || name === 'ref' ? attributes : query).set(name, value);
    }
    return attributes.set('url', printNixUrl({ ...url, scheme: transport, query }));
  },

  check(attributes) {
    parseNixUrl(requiredText(attributes, 'url'));
    const ref = textAttribute(attributes, 'ref');
    if (ref !== undefined && !/^[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*$/.test(ref)) {
      throw invalidInput(`invalid Mercurial branch/tag name '${ref}'`);
    }
    return attributes;
  },

  toUrl(attributes) {
    const url = parseNixUrl(requiredText(attributes, 'url'));
    const revision = revisionAttribute(attributes);
    const ref = textAttribute(attributes, 'ref');
    return {
      ...url,
      scheme: `hg+${url.scheme}`,
      query: new Map([
        ...url.query,
        ...(revision === undefined ? [] : [['rev', revision] as const]),
        ...(ref === undefined ? [] : [['ref', ref] as const]),
      ]),
    };
  },

  isLocked: (attributes) => revisionAttribute(attributes) !== undefined,

  toFetch: (attributes) => ({
    kind: 'mercurial',
    name: textAttribute(attributes, 'name') ?? 'source',
    url: requiredText(attributes, 'url'),
    ref: textAttribute(attributes, 'ref'),
    revision: revisionAttribute(attributes),
    narHash: narHashAttribute(attributes),
  }),
};
