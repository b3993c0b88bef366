import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import type { EvalIO } from './eval-io.ts';
import { emptyWorld } from './testing/empty-world.ts';

/** A world with nothing in it but hashes, and the lengths of what it hashed. */
function hashingWorld(): { io: EvalIO; hashed: number[] } {
  const hashed: number[] = [];
  const io: EvalIO = {
    ...emptyWorld,
    hashBytes(bytes, algorithm) {
      hashed.push(bytes.length);
      return createHash(algorithm).update(bytes).digest();
    },
  };
  return { io, hashed };
}

/** Evaluates a string with a core of its own. Returns it, and the lengths of what the world hashed. */
async function evaluate(url: URL, text: string): Promise<{ value: string; hashed: number[] }> {
  const { io, hashed } = hashingWorld();
  const evaluator = createEvaluator({
    core: new WebAssembly.Module(readFileSync(url)),
    io,
  });
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
  return { value: decodeUtf8(await evaluator.toRaw(await evaluator.evaluate(program))), hashed };
}

/** A string of `length` times 64 bytes, and its digest, in the language. */
const prelude = `
  x = builtins.concatStringsSep "" (builtins.genList (i: "x") 64);
  long = length: builtins.concatStringsSep "" (builtins.genList (i: x) length);
  hash = algorithm: length: builtins.hashString algorithm (long length);
`;

const digest = (algorithm: string, length: number): string =>
  createHash(algorithm)
    .update('x'.repeat(64 * length))
    .digest('hex');

describe.each([
  ['release', coreUrl],
  ['debug', debugCoreUrl],
])('hashes of the world, %s core', (_, url) => {
  test.each(['md5', 'sha1', 'sha256', 'sha512'])('%s of a long string', async (algorithm) => {
    const { value, hashed } = await evaluate(url, `let ${prelude} in hash "${algorithm}" 20000`);
    expect(value).toBe(digest(algorithm, 20000));
    expect(hashed).toEqual([64 * 20000]);
  });

  test('the first mebibyte of long strings, and all short ones, are hashed by the core', async () => {
    const text = `let ${prelude} in "\${hash "sha256" 16384}\${hash "sha256" 100}\${hash "sha256" 256}\${hash "sha256" 255}"`;
    const { value, hashed } = await evaluate(url, text);
    expect(value).toBe([16384, 100, 256, 255].map((length) => digest('sha256', length)).join(''));
    expect(hashed).toEqual([64 * 256]);
  });
});
