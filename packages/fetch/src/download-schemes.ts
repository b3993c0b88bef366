/**
 * Inputs of the types `tarball` and `file`: something at a URL, unpacked or not.
 *
 *     https://host/x.tar.gz              a tarball; where a tree is asked for, whatever the URL ends in
 *     tarball+https://host/x
 *     file+https://host/x
 *
 * `narHash`, `rev`, `revCount` and `lastModified` are taken out of the query, and what Nix knows besides is dropped from it.
 */
import { type InputAttributes, narHashAttribute, requiredText, textAttribute } from './input-attributes.ts';
import type { InputScheme } from './input-scheme.ts';
import { type NixUrl, parseNixUrl, printNixUrl, splitScheme } from './nix-url.ts';

const transports: ReadonlySet<string> = new Set(['file', 'http', 'https']);

const attributeNames: ReadonlySet<string> = new Set([
  ...['url', 'narHash', 'name', 'unpack'],
  ...['rev', 'revCount', 'lastModified'],
]);

const common: Pick<InputScheme, 'attributes' | 'check' | 'toUrl' | 'isLocked'> = {
  attributes: attributeNames,
  check: (attributes) => attributes,

  toUrl(attributes) {
    const url = parseNixUrl(requiredText(attributes, 'url'));
    const narHash = narHashAttribute(attributes);
    return narHash === undefined
      ? url
      : { ...url, query: new Map([...url.query, ['narHash', narHash.format('sri')]]) };
  },

  isLocked: (attributes) => narHashAttribute(attributes) !== undefined,
};

export const tarballScheme: InputScheme = {
  ...common,
  name: 'tarball',
  fromUrl: (url) => attributesOf(url, 'tarball'),
  toFetch: (attributes) => ({ kind: 'tarball', ...downloadOf(attributes) }),
};

export const fileScheme: InputScheme = {
  ...common,
  name: 'file',
  fromUrl: (url) => attributesOf(url, 'file'),
  toFetch: (attributes) => ({ kind: 'file', ...downloadOf(attributes) }),
};

/** A tree is asked for, so that a URL which does not say what it is is a tarball. */
function attributesOf(url: NixUrl, type: 'tarball' | 'file'): InputAttributes | undefined {
  const { application = 'tarball', transport } = splitScheme(url.scheme);
  if (application !== type || !transports.has(transport)) return undefined;
  const attributes = new Map<string, string | bigint>();
  for (const name of ['narHash', 'rev']) {
    const value = url.query.get(name);
    if (value !== undefined) attributes.set(name, value);
  }
  for (const name of ['revCount', 'lastModified']) {
    const value = url.query.get(name);
    if (value !== undefined && /^[0-9]+$/.test(value)) attributes.set(name, BigInt(value));
  }
  const query = new Map([...url.query].filter(([name]) => !attributeNames.has(name)));
  return attributes.set('type', type).set('url', printNixUrl({ ...url, scheme: transport, query }));
}

function downloadOf(attributes: InputAttributes): {
  readonly name: string;
  readonly urls: readonly string[];
  readonly narHash: ReturnType<typeof narHashAttribute>;
} {
  return {
    name: textAttribute(attributes, 'name') ?? 'source',
    urls: [requiredText(attributes, 'url')],
    narHash: narHashAttribute(attributes),
  };
}
