// Outputs of real builds, made by hand at the paths that the request names, get the paths, hashes and references that Nix
// 2.34.8 registered for them, and its messages where it refused them.
import { beforeEach, describe, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import type { Digest } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { DerivationHashes, outputPlaceholder, parseStorePath } from '@neve/nix-compat';
import type { Derivation } from '@neve/nix-compat';
import {
  compareOutputs,
  derivationToRequest,
  memoryRealisations,
  RealiseError,
  registerOutputs,
} from '@neve/realise';
import type { BuiltDerivation, RegisterServices, ResolvedDerivation } from '@neve/realise';
import type { PathInfo } from '@neve/store';
import {
  buildByHand,
  context,
  makeResolved,
  putPath,
  resolve,
  settings,
  store,
  testStore,
} from './hand-build.ts';
import type { TestStore, Tree } from './hand-build.ts';
import { asRow, realDerivation, realPathInfos } from './real-builds.ts';

let services: TestStore & RegisterServices;
let busybox: PathInfo;
const busyboxPath = '/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox';

beforeEach(async () => {
  services = testStore();
  const baseName = busyboxPath.slice('/nix/store/'.length);
  busybox = await putPath({ baseName, tree: { bin: { busybox: { executable: 'busybox' } } } }, services);
});

type MakeTrees = (paths: Readonly<Record<string, string>>) => readonly Tree[];

/** Runs a build whose outputs, in the order of their names, are these. */
async function build(
  resolved: ResolvedDerivation,
  trees: MakeTrees,
  more: Partial<BuiltDerivation> = {},
): Promise<BuiltDerivation> {
  const { request, outputs, needles } = derivationToRequest(resolved, {
    ...context,
    settings: { ...settings, sandbox: true },
  });
  const paths = Object.fromEntries(Array.from(outputs, ([name, path]) => [name, store.print(path)]));
  return { resolved, outputs, needles, result: await buildByHand(request, trees(paths), services), ...more };
}

async function register(
  resolved: ResolvedDerivation,
  trees: MakeTrees,
  more: Partial<BuiltDerivation> = {},
): Promise<ReadonlyMap<string, PathInfo>> {
  return registerOutputs(await build(resolved, trees, more), services);
}

async function registerReal(
  name: string,
  inputs: readonly PathInfo[],
  trees: MakeTrees,
): Promise<ReadonlyMap<string, PathInfo>> {
  const built = await build(resolve(...realDerivation(name), inputs), trees);
  // The version that made them does not hash offsets.
  const outputs = await registerOutputs(built, { ...services, hashesOffsets: false });
  for (const pathInfo of outputs.values()) {
    expect(realPathInfos).toHaveProperty([pathInfo.storePath.baseName], asRow(pathInfo));
    expect(await services.pathInfos.get(pathInfo.storePath.hashPart)).toEqual(pathInfo);
  }
  return outputs;
}

describe('as Nix registered it', () => {
  test('outputs whose paths follow from their contents, with references to themselves and each other', async () => {
    const a = await registerReal('a', [busybox], ({ out, dev }) => [
      `${busyboxPath}/bin/busybox\n`,
      { f: `${dev} ${out} x\n`, l: { link: `${out}/f` } },
    ]);
    expect([...a.keys()]).toEqual(['dev', 'out']);
    const [dev, out] = ['dev', 'out'].map((it) => store.print(a.get(it)?.storePath ?? busybox.storePath));
    const b = await registerReal('b', [busybox, ...a.values()], (paths) => [
      { g: `${out} ${paths['out']} ${dev}\n` },
    ]);
    const [builtB] = b.values();
    await registerReal('c', [busybox, ...a.values(), ...b.values()], (paths) => [
      `${store.print(builtB?.storePath ?? busybox.storePath)} ${out} ${paths['out']}\n`,
    ]);
  });

  test.each<[string, Tree]>([
    ['text', `hi ${busyboxPath}/bin/busybox\n`],
    ['flat', 'hi\n'],
    ['impure', 'hi\n'],
    ['git', { d: { y: { executable: 'x\n' } }, 'd.x': 'hi\n', e: { s: { link: 'foo' } } }],
  ])('%s', async (name, tree) => {
    await registerReal(name, [busybox], () => [tree]);
  });
});

describe('fixed outputs', () => {
  test('with another hash are refused, and kept under their true path', async () => {
    const refused = register(resolve(...realDerivation('mismatch')), () => ['hello\n']);
    await expect(refused).rejects.toMatchObject({
      code: 'hash-mismatch',
      message: `hash mismatch in fixed-output derivation '/nix/store/j11iznxqhh27bgf30i3mx16rvrc1ph24-bad.drv':
  specified: sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
     got:    sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=
  likely URL: http://example.org/x`,
      specified: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      got: 'sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=',
    });
    const baseName = 'mxxik735njznxmpghv8ffqql69a3bhw5-bad';
    const kept = await services.pathInfos.get(parseStorePath(baseName).hashPart);
    expect(kept && asRow(kept)).toEqual(realPathInfos[baseName]);
  });

  test('that are only compared are not kept', async () => {
    const built = await build(resolve(...realDerivation('mismatch')), () => ['hello\n']);
    const comparing = compareOutputs({ ...built, existing: new Map() }, services);
    await expect(comparing).rejects.toMatchObject({ code: 'hash-mismatch' });
    expect(await services.pathInfos.get('mxxik735njznxmpghv8ffqql69a3bhw5')).toBeUndefined();
  });

  test('with the right hash have the path that the derivation says', async () => {
    const [text, baseName] = realDerivation('mismatch');
    const right = resolve(text, baseName);
    const outputs = await register(right, () => ['']);
    expect(outputs.get('out')?.storePath).toEqual(
      [...right.derivation.outputs.values()].flatMap((it) => ('path' in it ? it.path : []))[0],
    );
    expect(outputs.get('out')?.contentAddress?.digest.format('sri')).toBe(
      'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    );
  });

  test('must be plain files when only their bytes are hashed', async () => {
    const real = resolve(...realDerivation('mismatch'));
    const problem = /^output path "\/nix\/store\/[^"]*-bad" should be a non-executable regular file since/;
    await expect(register(real, () => [{ executable: '' }])).rejects.toThrow(problem);
    await expect(register(real, () => [{ a: '' }])).rejects.toThrow(problem);
    await expect(register(real, () => [{ link: 'a' }])).rejects.toThrow(problem);
  });

  const source = 'lfngsssysp6h1v4ccqg23c52s9sjl779-x';

  test('have no references', async () => {
    const input = await putPath({ baseName: source, tree: 'y' }, services);
    const [text, baseName] = realDerivation('narReference');
    const tree = `/nix/store/${source}\n`;
    const real = resolve(text, baseName, [input]);
    await expect(register(real, () => [tree])).rejects.toMatchObject({ code: 'hash-mismatch' });
    const kept = await services.pathInfos.get('qkix66xrs5schfjwdlih1rbgfjh7nz0g');
    expect(kept && asRow(kept)).toEqual(realPathInfos['qkix66xrs5schfjwdlih1rbgfjh7nz0g-narref']);
    // The same with the hash that it has.
    const digest = kept?.narHash as Digest;
    const derivation: Derivation = {
      ...real.derivation,
      outputs: new Map([
        ['out', { kind: 'fixed', path: kept?.storePath ?? input.storePath, method: 'nar', digest }],
      ]),
    };
    await expect(register({ ...real, derivation }, () => [tree])).rejects.toMatchObject({
      code: 'output-rejected',
      message:
        `fixed-output derivations must not reference store paths: '/nix/store/${baseName}' ` +
        `references 1 distinct paths, e.g. '/nix/store/${source}'`,
    });
  });

  test('whose method has no references say what may help', async () => {
    const input = await putPath({ baseName: source, tree: 'y' }, services);
    const real = resolve(...realDerivation('mismatch'), [input]);
    await expect(register(real, () => [`/nix/store/${source}`])).rejects.toThrow(
      "fixed output derivation 'bad' is not allowed to refer to other store paths.\n" +
        "You may need to use the 'unsafeDiscardReferences' derivation attribute, see the manual for more details.",
    );
  });
});

describe('outputs of one derivation', () => {
  const out = {
    kind: 'input-addressed',
    path: parseStorePath('mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made'),
  } as const;
  const dev = {
    kind: 'input-addressed',
    path: parseStorePath('6zk0ckmp3njr81lj91xhsg3csyl81y0b-made-dev'),
  } as const;
  const outputs = new Map([
    ['dev', dev],
    ['out', out],
  ]);
  const two = (environment: Readonly<Record<string, string>> = {}): ResolvedDerivation =>
    makeResolved(environment, { outputs });

  test('that refer to each other in a circle are refused', async () => {
    const refused = register(two(), (paths) => [paths['out'] ?? '', paths['dev'] ?? '']);
    await expect(refused).rejects.toMatchObject({
      code: 'cycle',
      message:
        "cycle detected in build of '/nix/store/8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-made.drv' " +
        "in the references of output 'dev' from output 'out'",
    });
  });

  test('may refer to themselves and in one direction, and are put in that order', async () => {
    const put: string[] = [];
    const pathInfos = {
      ...services.pathInfos,
      get: services.pathInfos.get.bind(services.pathInfos),
      put: async (it: PathInfo): Promise<PathInfo> => {
        put.push(it.storePath.name);
        return services.pathInfos.put(it);
      },
    };
    const built = await build(two(), (paths) => [`${paths['dev']} ${paths['out']}`, 'nothing']);
    const registered = await registerOutputs(built, { ...services, pathInfos });
    expect(put).toEqual(['made', 'made-dev']);
    expect([...registered.keys()]).toEqual(['dev', 'out']);
    expect(registered.get('dev')?.references.map(({ name }) => name)).toEqual(['made-dev', 'made']);
    expect(registered.get('out')?.references).toEqual([]);
  });

  test('that are there already stay, whatever was built', async () => {
    const before = await putPath({ baseName: out.path.baseName, tree: 'before' }, services);
    const existing = new Map([['out', before]]);
    // A circle is none when one of the two is not taken.
    const registered = await register(two(), (paths) => [paths['out'] ?? '', paths['dev'] ?? ''], {
      existing,
    });
    expect(registered.get('out')).toEqual(before);
    expect(await services.pathInfos.get(out.path.hashPart)).toEqual(before);
    expect(registered.get('dev')?.references.map(({ name }) => name)).toEqual(['made']);
  });

  test('that somebody else made meanwhile stay', async () => {
    const first = await register(two(), () => ['a', 'b']);
    const second = await register(two(), () => ['c', 'd']);
    expect(second).toEqual(first);
  });

  test('have no references where the derivation says so', async () => {
    const attrs = { __json: JSON.stringify({ unsafeDiscardReferences: { dev: true } }) };
    const registered = await register(two(attrs), (paths) => [paths['out'] ?? '', 'a']);
    expect(registered.get('dev')?.references).toEqual([]);
  });

  test('that a second build made otherwise are told', async () => {
    const first = await register(two(), () => ['a', 'b']);
    const same = await build(two(), () => ['a', 'b']);
    await compareOutputs({ ...same, existing: first }, services);
    const other = await build(two(), () => ['a', 'c']);
    await expect(compareOutputs({ ...other, existing: first }, services)).rejects.toMatchObject({
      code: 'not-reproducible',
      message:
        "derivation '/nix/store/8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-made.drv' may not be deterministic: " +
        'output "/nix/store/mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made" differs',
    });
  });
});

describe('checks', () => {
  const input = '71fc7s32zl20dc955bhghy5dvalm7ndz-busybox';
  const out = '/nix/store/mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made';
  const structured = (checks: unknown): Readonly<Record<string, string>> => ({
    __json: JSON.stringify({ outputChecks: { out: checks } }),
  });
  const drv = '/nix/store/8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-made.drv';
  const refused = (...paths: readonly string[]): string =>
    [`output '${out}' is not allowed to refer to the following paths:`, ...paths].join('\n  ');

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['allowedReferences', { allowedReferences: '' }, refused(busyboxPath)],
    ['of itself', { allowedReferences: busyboxPath }, refused(out)],
    ['disallowedReferences', { disallowedReferences: `${busyboxPath} out` }, refused(busyboxPath, out)],
    ['allowedRequisites, itself excepted', { allowedRequisites: '' }, refused(busyboxPath)],
    ['disallowedRequisites', { disallowedRequisites: busyboxPath }, refused(busyboxPath)],
    ['itself too, structured', structured({ allowedRequisites: [busyboxPath] }), refused(out)],
    ['maxSize', structured({ maxSize: 10 }), `path '${out}' is too large at 216 bytes; limit is 10 bytes`],
    [
      'maxClosureSize',
      structured({ maxClosureSize: 300 }),
      // Of the output, and of its input: a program of 7 bytes in a folder in a folder.
      `closure of path '${out}' is too large at ${216 + 488} bytes; limit is 300 bytes`,
    ],
    [
      'an output that is none',
      structured({ allowedReferences: ['foo'] }),
      `derivation '${drv}' output check for 'out' contains output name 'foo', but this is not a valid output of ` +
        'this derivation. (Valid outputs are [out].)',
    ],
  ])('%s', async (name, environment, message) => {
    const own = name === 'allowedReferences' ? '' : ` ${out}`;
    const built = register(makeResolved(environment, { inputs: [busybox] }), () => [`${busyboxPath}${own}`]);
    await expect(built).rejects.toMatchObject({ code: 'output-check', message });
  });

  test('that hold', async () => {
    const environment = {
      allowedReferences: `out ${busyboxPath}`,
      allowedRequisites: busyboxPath,
      disallowedReferences: '/nix/store/lfngsssysp6h1v4ccqg23c52s9sjl779-x',
    };
    const outputs = await register(makeResolved(environment, { inputs: [busybox] }), () => [
      `${busyboxPath} ${out}`,
    ]);
    expect(outputs.get('out')?.references.map(({ baseName }) => baseName)).toContain(input);
  });

  test('that fail leave nothing behind', async () => {
    const fresh = testStore();
    const built = await build(makeResolved({ disallowedReferences: 'out' }), (paths) => [paths['out'] ?? '']);
    const own = {
      ...built,
      result: await buildByHand(
        { needles: [encodeUtf8('mb3qwppfv3dqqhk2qvirzzzind3dqmhp')] } as never,
        [out],
        fresh,
      ),
    };
    await expect(registerOutputs(own, fresh)).rejects.toThrow(RealiseError);
    expect(await fresh.pathInfos.get('mb3qwppfv3dqqhk2qvirzzzind3dqmhp')).toBeUndefined();
  });
});

test('build traces are kept, of the derivation and of the one it was resolved from', async () => {
  const realisations = memoryRealisations();
  const resolved = resolve(...realDerivation('flat'), [busybox]);
  const lookUp = (): never => {
    throw new Error('there are no input derivations');
  };
  const { byOutput } = await new DerivationHashes({ ...context, lookUp }).hashOfOutputs(resolved.derivation);
  const other = nodeHashes.hash('sha256', encodeUtf8('other'));
  const built = await build(resolved, () => ['hi\n'], { traceHashes: [byOutput, new Map([['out', other]])] });
  await registerOutputs(built, { ...services, realisations });
  for (const derivationHash of [byOutput.get('out') as Digest, other]) {
    const found = await realisations.get({ derivationHash, output: 'out' });
    expect(found?.path.baseName).toBe('nqz2xzvmwr8pv6rhgzcrnk9x57gcxxx8-fl');
  }
  expect(await realisations.get({ derivationHash: other, output: 'dev' })).toBeUndefined();
});

test('self-references have a hash of their own, unless offsets are left out', async () => {
  const resolved = resolve(...realDerivation('b'), [busybox]);
  const mention: MakeTrees = (paths) => [{ g: paths['out'] ?? '' }];
  const zeroes: MakeTrees = () => [{ g: `/nix/store/${'\0'.repeat(32)}-b` }];
  const pathOf = async (trees: MakeTrees, hashesOffsets: boolean): Promise<string | undefined> => {
    const outputs = await registerOutputs(await build(resolved, trees), { ...services, hashesOffsets });
    return outputs.get('out')?.contentAddress?.digest.format('hex');
  };
  expect(await pathOf(mention, true)).not.toBe(await pathOf(zeroes, true));
  expect(await pathOf(mention, false)).toBe(await pathOf(zeroes, false));
});

test('the placeholder of an output is that of Nix', () => {
  expect(outputPlaceholder('out', nodeHashes)).toBe('/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9');
});
