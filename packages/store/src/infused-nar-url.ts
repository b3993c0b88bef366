/**
 * The URLs of NARs in caches over a castore, as the nar-bridge of Snix writes them:
 *
 *     nar/snix-castore/<base64url of a protobuf `Entry` without a name, no padding>?narsize=<bytes>
 *
 * Such a URL names the root node, so that a NAR need not be downloaded when castore has what is below it. Nobody vouches
 * for the URL: whoever uses the node has to compare its NAR with the signed hash.
 */
import { BytesError, decodeBase64, encodeBase64 } from '@neve/bytes';
import { CastoreError, type Node, decodeEntry, encodeEntry } from '@neve/castore';

/** As long as an entry may be in Snix. */
const maxEntryLength = 4096;

/** The node of such a URL, relative or absolute; nothing for any other, or for another size. */
export function nodeOfInfusedUrl(url: string, narSize: number): Node | undefined {
  const match = /(?:^|\/)nar\/snix-castore\/([A-Za-z0-9_-]+)\?narsize=([0-9]+)$/.exec(url);
  const [, text, size] = match ?? [];
  if (text === undefined || Number(size) !== narSize) return undefined;
  return nodeOfInfusedName(text);
}

/** The node that the last segment of such a URL names, without the query; nothing for what names none. */
export function nodeOfInfusedName(name: string): Node | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) return undefined;
  try {
    const bytes = decodeBase64(standardBase64(name));
    if (bytes.length > maxEntryLength) return undefined;
    const entry = decodeEntry(bytes);
    return entry.name.length === 0 ? entry.node : undefined;
  } catch (error) {
    if (error instanceof BytesError || error instanceof CastoreError) return undefined;
    throw error;
  }
}

/** The last segment of the URL of a node's NAR, without the query. */
export function infusedName(node: Node): string {
  return encodeBase64(encodeEntry(node)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The URL of a node's NAR, relative to the root of a cache. `narSize` is in bytes. */
export function infusedNarUrl(node: Node, narSize: number): string {
  return `nar/snix-castore/${infusedName(node)}?narsize=${narSize}`;
}

function standardBase64(text: string): string {
  const padding = '='.repeat(-text.length & 3);
  return text.replaceAll('-', '+').replaceAll('_', '/') + padding;
}
