/**
 * What the user works on: files by name, which of them is shown and evaluated, and whether everything inside the value is
 * evaluated. It is data, and can be kept in a link: `#1.` and, in Base64 for URLs, the raw DEFLATE of
 *
 *     { "f": [[name, text], …], "a": name of the shown file, "s": 1 if strict }
 *
 * The number is the version of this form. What cannot be read is nothing.
 */
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '@neve/bytes';

export type Project = {
  /** In the order of their tabs; the first one is evaluated. There is at least one. */
  readonly files: readonly ProjectFile[];
  readonly active: string;
  readonly strict: boolean;
};

export type ProjectFile = { readonly name: string; readonly text: string };

const version = '1';
/** A link from elsewhere must not fill the memory. */
const maximumBytes = 4_000_000;
const fileName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}$/;

export function isFileName(name: string): boolean {
  return fileName.test(name);
}

export function singleFile(text: string): Project {
  return { files: [{ name: 'main.nix', text }], active: 'main.nix', strict: false };
}

/** The part of a link after the `#`. */
export async function projectToHash({ files, active, strict }: Project): Promise<string> {
  const kept = { f: files.map(({ name, text }) => [name, text]), a: active, ...(strict ? { s: 1 } : {}) };
  const compressed = await through(encodeUtf8(JSON.stringify(kept)), new CompressionStream('deflate-raw'));
  const text = encodeBase64(compressed).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return `${version}.${text}`;
}

export async function projectFromHash(hash: string): Promise<Project | undefined> {
  const [, number, text = ''] = /^#?(\d+)\.([A-Za-z0-9_-]+)$/.exec(hash) ?? [];
  if (number !== version) return undefined;
  try {
    const padded = text
      .replaceAll('-', '+')
      .replaceAll('_', '/')
      .padEnd(Math.ceil(text.length / 4) * 4, '=');
    const bytes = await through(decodeBase64(padded), new DecompressionStream('deflate-raw'));
    return readProject(JSON.parse(decodeUtf8(bytes)));
  } catch {
    // A link that was cut or mistyped.
    return undefined;
  }
}

function readProject(kept: unknown): Project | undefined {
  if (typeof kept !== 'object' || kept === null || !('f' in kept) || !Array.isArray(kept.f)) return undefined;
  const files: ProjectFile[] = [];
  for (const entry of kept.f as readonly unknown[]) {
    if (!Array.isArray(entry)) return undefined;
    const [name, text] = entry as readonly unknown[];
    if (typeof name !== 'string' || typeof text !== 'string' || !isFileName(name)) return undefined;
    if (files.some((file) => file.name === name)) return undefined;
    files.push({ name, text });
  }
  const [first] = files;
  if (first === undefined) return undefined;
  const wanted = 'a' in kept ? kept.a : undefined;
  const active = files.find(({ name }) => name === wanted)?.name ?? first.name;
  return { files, active, strict: 's' in kept && kept.s === 1 };
}

/** All that comes out of a stream which is given these bytes. Throws when that is too much. */
async function through(
  bytes: Uint8Array,
  stream: { readable: ReadableStream<Uint8Array>; writable: WritableStream<BufferSource> },
): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  // What goes wrong is seen at the other end.
  writer.write(new Uint8Array(bytes)).catch(() => {});
  writer.close().catch(() => {});
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = stream.readable.getReader();
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maximumBytes) throw new RangeError('the project is too large for a link');
    pieces.push(value);
  }
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
