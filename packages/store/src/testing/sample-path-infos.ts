/** Path infos to test with. Their contents are in no store, and their NARs are made up. */
import { Digest, encodeNixBase32, encodeUtf8 } from '@neve/bytes';
import { B3Digest, hashBlake3, symlinkTarget } from '@neve/castore';
import type { Node } from '@neve/castore';
import { StorePath, storePathSet } from '@neve/nix-compat';
import type { PathInfo } from '../path-info.ts';

/** A store path whose hash part depends on `seed` only. */
export function samplePath(seed: string, name: string = seed): StorePath {
  return new StorePath(encodeNixBase32(hashBlake3(encodeUtf8(seed)).slice(0, 20)), name);
}

/** A path info with all fields; `changes` replace some. */
export function samplePathInfo(seed: string, changes: Partial<PathInfo> = {}): PathInfo {
  const bytes = hashBlake3(encodeUtf8(`contents of ${seed}`));
  return {
    storePath: samplePath(seed),
    node: { kind: 'directory', digest: new B3Digest(bytes), size: 7 },
    references: [],
    narSize: 4096,
    narHash: new Digest('sha256', hashBlake3(encodeUtf8(`NAR of ${seed}`))),
    signatures: [sampleSignature('key-1')],
    deriver: samplePath(`${seed} deriver`, 'hello.drv'),
    contentAddress: undefined,
    ...changes,
  };
}

/** Not a valid one. */
export function sampleSignature(keyName: string): PathInfo['signatures'][number] {
  const half = hashBlake3(encodeUtf8(keyName));
  return { keyName, bytes: Uint8Array.from([...half, ...half]) };
}

/** One of each kind. */
export function sampleNodes(): readonly Node[] {
  const digest = new B3Digest(hashBlake3(encodeUtf8('node')));
  return [
    { kind: 'directory', digest, size: 0 },
    { kind: 'directory', digest, size: Number.MAX_SAFE_INTEGER },
    { kind: 'file', digest, size: 0, executable: false },
    { kind: 'file', digest, size: 1_000_000, executable: true },
    { kind: 'symlink', target: symlinkTarget('/nix/store/somewhere') },
  ];
}

/** Path infos by seed, each referring to others, itself included where it says so. */
export function sampleGraph(
  references: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, PathInfo> {
  return new Map(
    Object.entries(references).map(([seed, names]) => [
      seed,
      samplePathInfo(seed, { references: storePathSet(names.map((it) => samplePath(it))) }),
    ]),
  );
}
