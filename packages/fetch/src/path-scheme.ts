/**
 * Inputs of type `path`: a file or directory of this machine.
 *
 *     path:/absolute/path?narHash=…&rev=…&revCount=…&lastModified=…
 *
 * What is said about its revision is passed on: it is what an exported tree was made of.
 */
import { type InputAttributes, narHashAttribute, requiredText } from './input-attributes.ts';
import { type InputScheme, invalidInput } from './input-scheme.ts';
import { pathOfUrl, printAuthority, printNixUrl } from './nix-url.ts';

const attributeNames: ReadonlySet<string> = new Set([
  ...['path', 'rev', 'revCount', 'lastModified', 'narHash'],
]);

export const pathScheme: InputScheme = {
  name: 'path',
  feature: 'flakes',
  attributes: attributeNames,

  fromUrl(url, shown) {
    if (url.scheme !== 'path') return undefined;
    if (url.authority !== undefined && url.authority.host !== '') {
      throw invalidInput(
        `path URL '${shown}' should not have an authority ('${printAuthority(url.authority)}')`,
      );
    }
    const attributes = new Map<string, string | bigint>([
      ['type', 'path'],
      ['path', pathOfUrl(url)],
    ]);
    for (const [name, value] of url.query) {
      if (name === 'path' || !attributeNames.has(name)) {
        throw invalidInput(`path URL '${shown}' has unsupported parameter '${name}'`);
      }
      const isNumber = name === 'revCount' || name === 'lastModified';
      if (isNumber && !/^[0-9]+$/.test(value)) {
        throw invalidInput(`path URL '${shown}' has invalid parameter '${name}'`);
      }
      attributes.set(name, isNumber ? BigInt(value) : value);
    }
    return attributes;
  },

  check(attributes) {
    requiredText(attributes, 'path');
    return attributes;
  },

  toUrl(attributes) {
    const shown = [...attributes].filter(([name]) => !['type', 'path', '__final'].includes(name));
    return {
      scheme: 'path',
      authority: undefined,
      path: requiredText(attributes, 'path').split('/'),
      query: new Map(shown.map(([name, value]) => [name, queryText(value)])),
      fragment: '',
    };
  },

  isLocked: (attributes) => narHashAttribute(attributes) !== undefined,

  toFetch(attributes) {
    const path = requiredText(attributes, 'path');
    if (!path.startsWith('/')) {
      const shown = printNixUrl(pathScheme.toUrl(attributes));
      throw invalidInput(`cannot fetch input '${shown}' because it uses a relative path`);
    }
    return { kind: 'path', name: 'source', path, narHash: narHashAttribute(attributes) };
  },
};

function queryText(value: InputAttributes extends ReadonlyMap<string, infer Value> ? Value : never): string {
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
}
