// Profiles and channels: the NAR hashes, references, warnings and messages of Nix 2.34.8 for the same packages.
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { Digest, encodeUtf8 } from '@neve/bytes';
import { exportTar, memoryBlobs } from '@neve/castore';
import type { Fetch, Fetched } from '@neve/fetch';
import type { DerivationOutput } from '@neve/nix-compat';
import { parseStorePath } from '@neve/nix-compat';
import { fetchOfDerivation, registerOutputs, runBuiltin } from '@neve/realise';
import type { BuiltinServices } from '@neve/realise';
import { archiveUnpacker } from '@neve/realise/node';
import type { PathInfo } from '@neve/store';
import { makeResolved, putPath, putTree, testStore } from './hand-build.ts';
import type { TestStore, Tree } from './hand-build.ts';

const a = '/nix/store/3cpfw8mvd4f5jhkiinbvamrnxjfq0ylb-a';
const b = '/nix/store/x5xny5h6amyvx1kzdgp7ccq7fgj741j8-b';
const c = '/nix/store/ak1fjawfz0cbxikdqn7i4zv66mi5j36i-c';
const d = '/nix/store/0305i69bs95vfjaf75zjar3gkv6d088v-d';
const e = '/nix/store/dgjyap327p8k4gcqdc721fcw1mlvc5vs-e';
const prop = '/nix/store/2qxlm3xr1aw181qz58l59dzic1jdq1x2-prop';
const loop = '/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-loop';
const manifest = '/nix/store/lxnsp9ny55mx464wif4vgi59dg4q6bqw-manifest.nix';

const packages: Readonly<Record<string, Tree>> = {
  [a]: {
    '.hid': {},
    afile: 'both\n',
    bin: { a: 'a\n' },
    dangling: { link: 'nowhere' },
    info: { dir: 'd\n', i: 'i\n' },
    log: 'l\n',
    'manifest.json': 'm\n',
    'nix-support': { x: 'x\n' },
    'perllocal.pod': 'p\n',
    sbin: { link: 'bin' },
    share: { man: { a: 'a\n' } },
  },
  [b]: {
    bin: { b: 'b\n' },
    lib: { self: { link: '../lib' } },
    sbin: { q: 'q\n' },
    share: { both: 'both\n', doc: { b: 'd\n' } },
  },
  [c]: { share: { both: 'c\n' } },
  [d]: { afile: 'dd\n', bin: { d: 'd\n' } },
  [e]: { afile: { z: 'z\n' } },
  [prop]: {
    bin: { prop: '1\n' },
    'nix-support': { 'propagated-user-env-packages': `${d}  ${c}\n` },
    share: { link: `${b}/share` },
  },
  [loop]: {
    x: { link: 'y' },
    y: { link: './x' },
    out: { link: '../../../etc' },
    up: { link: '../loop/../71fc7s32zl20dc955bhghy5dvalm7ndz-loop/f' },
    f: 'f',
  },
  [manifest]: '[]',
};

let services: TestStore;
let inputs: readonly PathInfo[];

beforeEach(async () => {
  services = testStore();
  const put = Object.entries(packages).map(([path, tree]) =>
    putPath({ baseName: path.slice('/nix/store/'.length), tree }, services),
  );
  inputs = await Promise.all(put);
});

async function run(
  builder: string,
  environment: Readonly<Record<string, string>>,
  more: Partial<BuiltinServices> & { readonly inputs?: readonly PathInfo[] } = {},
): Promise<{ readonly out: PathInfo; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const resolved = makeResolved(environment, {
    inputs: more.inputs ?? inputs,
    builder: encodeUtf8(builder),
    system: encodeUtf8('builtin'),
  });
  const built = await runBuiltin(resolved, {
    ...services,
    fetcher: { fetch: () => Promise.reject(new Error('nothing is fetched')) },
    unpack: archiveUnpacker(services),
    warn: (message) => warnings.push(message),
    ...more,
  });
  const out = (await registerOutputs(built, services)).get('out');
  if (out === undefined) throw new Error('there is no output');
  return { out, warnings };
}

describe('a profile', () => {
  const profile = (derivations: string): ReturnType<typeof run> =>
    run('builtin:buildenv', { derivations, manifest });

  test.each([
    [
      'folders that several packages have',
      `true 5 1 ${a} true 5 1 ${b}`,
      '92b358acb0e212e15fc325b64666d57faf29b944208f95359b88c5e42625b47a',
      [a, b, manifest],
    ],
    [
      'priorities, and a package that is hidden',
      `true 5 1 ${b} true 6 1 ${c} false 1 1 ${a}`,
      '734ce586af73ee1862d795aed1e353ed9a97f33d4eb6731356d760b1c6168a47',
      [b, manifest],
    ],
    [
      'packages that a package brings along, and links in packages',
      `true 5 1 ${prop} true 5 1 ${a}`,
      'f90a3e0ffb74ba549a9ce1f7f275e5570c81f660628888f0b9b68bbaacd00072',
      [a, b, manifest, d, prop],
    ],
    [
      'a file that a folder comes before',
      `true 5 1 ${e} true 6 1 ${a}`,
      '3e763bb38f7ea24c21f8e3fc35a9f41cbe15e9fec88fb7598fb99a9be9662558',
      [a, manifest, e],
    ],
    ['nothing', '', 'fb24bbdfc553c8828f23414b5703cfcb95c3d492cc4ac6708fe24721647f30fb', [manifest]],
  ])('%s', async (_, derivations, narHash, references) => {
    const { out, warnings } = await profile(derivations);
    expect(out.narHash.format('hex')).toBe(narHash);
    expect(out.references.map(({ baseName }) => `/nix/store/${baseName}`)).toEqual([...references].sort());
    const dangling = "skipping dangling symlink '/nix/store/mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made/dangling'";
    expect(warnings).toEqual(references.includes(a) ? [dangling] : []);
  });

  const conflict = (first: string, second: string): string =>
    `Unable to build profile. There is a conflict for the following files:\n\n  "${first}"\n  "${second}"`;

  test.each([
    ['the same priority', `true 5 1 ${a} true 4 2 ${b} ${c}`, conflict(`${c}/share/both`, `${b}/share/both`)],
    ['again', `true 5 1 ${d} true 5 1 ${a}`, conflict(`${d}/afile`, `${a}/afile`)],
    [
      'a folder and a file',
      `true 5 1 ${a} true 6 1 ${e}`,
      `collision between "${e}/afile" and non-directory "${a}/afile"`,
    ],
    [
      'a package that is not there',
      'true 5 1 /nix/store/93hswik0brc6ppfajxk7zb4h1hkh5cb6-nope',
      'cannot read directory "/nix/store/93hswik0brc6ppfajxk7zb4h1hkh5cb6-nope": No such file or directory',
    ],
    ['no number', `true x 1 ${a}`, "'x' in 'derivations' is not a number"],
    ['too few paths', `true 5 2 ${a}`, "'derivations' ends before all paths that it announces"],
    ['links in a circle', `true 5 1 ${loop}`, `too many levels of symbolic links in '${loop}/x'`],
  ])('is refused: %s', async (_, derivations, message) => {
    await expect(profile(derivations)).rejects.toMatchObject({ code: 'builtin-failed', message });
  });

  test('a file in the way of a merged folder', async () => {
    const folder = await putPath(
      { baseName: 'ly2slbrkcfki712xcxg8nsjv92cnwfg3-f', tree: { x: { y: '' } } },
      services,
    );
    const other = await putPath(
      { baseName: '7mnvjza5nwd03p5r6v6mxcql32z2pd7s-g', tree: { x: { z: '' } } },
      services,
    );
    const file = await putPath({ baseName: 'wfbmqvz21g4rngkznqkyn646yvfny3f5-h', tree: { x: '' } }, services);
    const paths = [folder, other, file].map(({ storePath }) => `true 1 1 /nix/store/${storePath.baseName}`);
    const building = run(
      'builtin:buildenv',
      { derivations: paths.join(' '), manifest },
      { inputs: [folder, other, file] },
    );
    await expect(building).rejects.toThrow(
      /^collision between non-directory '\/nix\/store\/wfb[^']*\/x' and directory/,
    );
  });

  test('has no room for what is no folder', async () => {
    const { warnings, out } = await profile(`true 5 1 ${manifest}`);
    expect(warnings).toEqual([
      `not including "${manifest}" in the user environment because it's not a directory`,
    ]);
    expect(out.narSize).toBe(344);
  });

  test('needs a manifest', async () => {
    const building = run('builtin:buildenv', { derivations: '' });
    await expect(building).rejects.toThrow("attribute 'manifest' missing");
  });
});

describe('a channel', () => {
  const source = '/nix/store/c6yvcpkf33i68sigqn5k5cvnp3l0ysk5-chan.tar.gz';

  async function channel(tree: Tree, channelName = 'nixpkgs'): Promise<PathInfo> {
    const pieces: Uint8Array[] = [];
    const node = await putTree(tree, services);
    for await (const piece of exportTar(node, services)) pieces.push(Uint8Array.from(piece));
    const archive = await putPath({ baseName: source.slice('/nix/store/'.length), tree: '' }, services);
    const bytes = new Uint8Array(gzipSync(Buffer.concat(pieces)));
    const digest = await services.blobs.put(bytes);
    const file = {
      ...archive,
      node: { kind: 'file', digest, size: bytes.length, executable: false },
    } as const;
    const made = await run('builtin:unpack-channel', { src: source, channelName }, { inputs: [file] });
    return made.out;
  }

  test('has the one folder of an archive under another name', async () => {
    const out = await channel({ chan: { sub: { f: 'hi\n' }, x: {} } });
    expect(out.narHash.format('hex')).toBe(
      '717df999bcf4c05c349a497ae2b0ceec934e9dfb118a0a6af9d4ae4165a60fde',
    );
    expect(out.references).toEqual([]);
  });

  test.each<[string, Tree, string, string]>([
    ['two', { a: {}, b: {} }, 'x', `channel tarball '${source}' contains more than one file`],
    ['none', {}, 'x', `channel tarball '${source}' is empty`],
    [
      'a path',
      { a: {} },
      'nix/pkgs',
      'channelName is not allowed to contain filesystem separators, got nix/pkgs',
    ],
  ])('is refused: %s', async (_, tree, name, message) => {
    await expect(channel(tree, name)).rejects.toMatchObject({ code: 'builtin-failed', message });
  });

  test('comes from an archive', async () => {
    const building = run('builtin:unpack-channel', { src: `${a}/afile`, channelName: 'x' });
    await expect(building).rejects.toThrow(/^failed to extract archive '[^']*-a\/afile'/);
    const missing = run('builtin:unpack-channel', { src: '/etc/passwd', channelName: 'x' });
    await expect(missing).rejects.toThrow("failed to open archive: '/etc/passwd' is not a file");
  });
});

describe('a download', () => {
  const path = parseStorePath('mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made');
  const digest = new Digest('sha256', new Uint8Array(32));
  const url = 'http://example.org/a';
  const fetchOf = (output: DerivationOutput, environment: Readonly<Record<string, string>> = {}): Fetch =>
    fetchOfDerivation(makeResolved({ url, ...environment }, { outputs: new Map([['out', output]]) }));
  const fixed = (method: 'flat' | 'nar' | 'git'): DerivationOutput => ({
    kind: 'fixed',
    path,
    method,
    digest,
  });
  const impure: DerivationOutput = { kind: 'impure', method: 'nar', algorithm: 'sha256' };
  const common = { name: 'made', urls: [url] };

  test.each<[string, Fetch, Fetch]>([
    ['a file', fetchOf(fixed('flat')), { kind: 'url', hash: digest, ...common }],
    [
      'executable',
      fetchOf(fixed('nar'), { executable: '1' }),
      { kind: 'executable', hash: digest, ...common },
    ],
    ['unpacked', fetchOf(fixed('nar'), { unpack: '1' }), { kind: 'nar', hash: digest, ...common }],
    [
      'not unpacked',
      fetchOf(fixed('nar'), { unpack: '', executable: '0' }),
      { kind: 'url', hash: undefined, ...common },
    ],
    ['a git object', fetchOf(fixed('git')), { kind: 'url', hash: undefined, ...common }],
    ['not fixed', fetchOf(impure), { kind: 'url', hash: undefined, ...common }],
  ])('%s', (_, fetch, expected) => {
    expect(fetch).toEqual(expected);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['unpacked and flat', () => fetchOf(fixed('flat'), { unpack: '1' }), /unpacked .* method 'flat'/],
    ['executable and flat', () => fetchOf(fixed('flat'), { executable: '1' }), /made executable/],
    ['unpacked and not fixed', () => fetchOf(impure, { unpack: '1' }), /is not fixed/],
    ['not fixed at all', () => fetchOf({ kind: 'deferred' }), /must be a fixed-output or impure derivation/],
    [
      'no url',
      () => fetchOfDerivation(makeResolved({}, { outputs: new Map([['out', impure]]) })),
      /attribute 'url' missing/,
    ],
    [
      'no out',
      () => fetchOfDerivation(makeResolved({}, { outputs: new Map([['dev', impure]]) })),
      /requires an 'out' output/,
    ],
  ])('is refused: %s', (_, action, message) => {
    expect(action).toThrow(message);
  });

  test('is registered, verified once more', async () => {
    const node = await putTree('hello\n', services);
    const nar = { narHash: new Digest('sha256', new Uint8Array(32)), narSize: 120 };
    const asked: Fetch[] = [];
    const fetcher = {
      fetch: async (fetch: Fetch): Promise<Fetched> => {
        asked.push(fetch);
        const contentAddress = { method: 'flat', digest } as const;
        return { node, ...nar, contentAddress, source: url, lastModified: undefined };
      },
    };
    const resolved = makeResolved(
      { url },
      { outputs: new Map([['out', fixed('flat')]]), builder: encodeUtf8('builtin:fetchurl') },
    );
    const built = await runBuiltin(resolved, { ...services, fetcher, unpack: archiveUnpacker(services) });
    expect(asked).toEqual([{ kind: 'url', hash: digest, ...common }]);
    expect(built.nars?.get('out')).toEqual(nar);
    await expect(registerOutputs(built, services)).rejects.toMatchObject({
      code: 'hash-mismatch',
      got: 'sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=',
    });
  });
});

test('other builders, and other outputs', async () => {
  await expect(run('builtin:foo', {})).rejects.toThrow("unsupported builtin builder 'foo'");
  const output: DerivationOutput = { kind: 'deferred' };
  const two = makeResolved(
    {},
    {
      outputs: new Map([
        ['a', output],
        ['out', output],
      ]),
      builder: encodeUtf8('builtin:foo'),
    },
  );
  const running = runBuiltin(two, {
    ...services,
    blobs: memoryBlobs(),
    fetcher: { fetch: () => Promise.reject(new Error('nothing is fetched')) },
    unpack: archiveUnpacker(services),
  });
  await expect(running).rejects.toThrow(/failed to produce output path for output 'a'/);
});
