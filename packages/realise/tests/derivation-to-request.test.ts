// The variables and files are those that builders saw under Nix 2.34.8, which printed them into their outputs; messages are
// those of the same Nix.
import { beforeAll, describe, expect, test } from 'vitest';
import { Digest, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { parseDigest } from '@neve/bytes';
import { parseStorePath } from '@neve/nix-compat';
import type { Derivation, DerivationOutput } from '@neve/nix-compat';
import { derivationToRequest, parseSandboxPath, readExportedGraphs } from '@neve/realise';
import type { BuildSettings, DerivationRequest, ExportedGraphs, ResolvedDerivation } from '@neve/realise';
import type { PathInfo } from '@neve/store';
import {
  context,
  makeResolved,
  putPath,
  readDerivation,
  resolve,
  settings,
  store,
  testStore,
} from './hand-build.ts';
import type { TestStore } from './hand-build.ts';
import { realDerivation } from './real-builds.ts';

const busyboxName = '71fc7s32zl20dc955bhghy5dvalm7ndz-busybox';
let services: TestStore;
let busybox: PathInfo;

beforeAll(async () => {
  services = testStore();
  const made = await putPath(
    { baseName: busyboxName, tree: { bin: { busybox: { executable: '' } } } },
    services,
  );
  // With the size and hash of the true one, which files mention.
  const digest = parseDigest('sha256:0h2cvvd5bkprq91zyak0149xwqr6p5hc0vw1xrshlzfg6z8dlk29');
  const contentAddress = { method: 'nar', digest } as const;
  busybox = await services.pathInfos.put({ ...made, narHash: digest, narSize: 1982736, contentAddress });
});

function request(
  resolved: ResolvedDerivation,
  changes: Partial<BuildSettings> = {},
  graphs: ExportedGraphs = new Map(),
): DerivationRequest {
  return derivationToRequest(resolved, { ...context, settings: { ...settings, ...changes }, graphs });
}

async function requestReal(name: string): Promise<DerivationRequest> {
  const resolved = resolve(...realDerivation(name), [busybox]);
  const graphs = await readExportedGraphs(resolved, {
    store,
    pathInfos: services.pathInfos,
    readDerivation: () => Promise.reject(new Error('there is none')),
  });
  return request(resolved, {}, graphs);
}

function environmentOf({ request: { environment } }: DerivationRequest): Record<string, string> {
  return Object.fromEntries(Array.from(environment, ([name, value]) => [name, decodeUtf8(value)]));
}

function filesOf({ request: { files } }: DerivationRequest): Record<string, string> {
  return Object.fromEntries(Array.from(files, ([name, value]) => [name, decodeUtf8(value)]));
}

const always = {
  HOME: '/homeless-shelter',
  NIX_BUILD_CORES: '2',
  NIX_BUILD_TOP: '/build',
  NIX_LOG_FD: '2',
  NIX_STORE: '/nix/store',
  PATH: '/path-not-set',
  PWD: '/build',
  TEMP: '/build',
  TEMPDIR: '/build',
  TERM: 'xterm-256color',
  TMP: '/build',
  TMPDIR: '/build',
};
const ofBusybox = { builder: `/nix/store/${busyboxName}/bin/busybox`, system: 'x86_64-linux' };

test('a plain derivation', async () => {
  const made = await requestReal('env');
  const out = '/nix/store/ycz5617l9ac3gg82h4pyvsm21my2f84w-env';
  expect(environmentOf(made)).toEqual({ ...always, ...ofBusybox, name: 'env', hello: 'wörld\n"x\\', out });
  expect(made.request).toMatchObject({
    inputs: new Map([[busyboxName, busybox.node]]),
    inputsDirectory: 'nix/store',
    command: [ofBusybox.builder, 'sh', '-c', `bb=${ofBusybox.builder}; $bb env > $out`],
    programName: 'busybox',
    workingDirectory: 'build',
    scratchPaths: ['build', 'nix/store'],
    outputs: [out.slice(1)],
    files: new Map(),
    constraints: {
      system: 'x86_64-linux',
      network: false,
      binSh: true,
      userRange: false,
      isolation: 'full',
      hostPaths: [],
      readOnlyPaths: [],
      minMemoryBytes: 0,
    },
  });
  expect(made.request.needles.map(decodeUtf8)).toEqual([
    '71fc7s32zl20dc955bhghy5dvalm7ndz',
    'ycz5617l9ac3gg82h4pyvsm21my2f84w',
  ]);
  expect(made.needles.map(({ hashPart }) => hashPart)).toEqual(made.request.needles.map(decodeUtf8));
});

test('attributes in files, and the references of inputs', async () => {
  const made = await requestReal('passAsFile');
  const out = '/nix/store/db4yr2zmhdbw7h3rxhlyfr69q634y48x-pf';
  const file = '.attr-1fs8xspqaxw0p5r4wz0lz3pqd9sdvhirmcriqbxcmg8vr89835ya';
  expect(environmentOf(made)).toEqual({
    ...always,
    ...ofBusybox,
    name: 'pf',
    out,
    aPath: `/build/${file}`,
    passAsFile: 'a nope',
    exportReferencesGraph: `graph /nix/store/${busyboxName}`,
  });
  expect(filesOf(made)).toEqual({
    [`build/${file}`]: `xx ${out}`,
    'build/graph': `/nix/store/${busyboxName}\n\n0\n`,
  });
});

test('structured attributes', async () => {
  const made = await requestReal('structured');
  expect(environmentOf(made)).toEqual({
    ...always,
    NIX_ATTRS_SH_FILE: '/build/.attrs.sh',
    NIX_ATTRS_JSON_FILE: '/build/.attrs.json',
  });
  const { 'build/.attrs.json': json = '', 'build/.attrs.sh': shell = '', ...others } = filesOf(made);
  expect(others).toEqual({});
  // Of the files that the real build copied.
  const hash = (text: string): string => context.hashes.hash('sha256', encodeUtf8(text)).format('hex');
  expect(hash(json)).toBe('40684809fc6c0209c4c1aa2c8926520d2597a8d5e549f1b7e70cae018855b01c');
  expect(hash(shell)).toBe('187f9da2e37cdfba6dc2186d7d2a35d56391a75b17732f000bc9d549eddf662b');
  expect(json).toContain(
    '"graph":[{"ca":"fixed:r:sha256:0h2cvvd5bkprq91zyak0149xwqr6p5hc0vw1xrshlzfg6z8dlk29","closureSize":1982736,' +
      '"narHash":"sha256:0h2cvvd5bkprq91zyak0149xwqr6p5hc0vw1xrshlzfg6z8dlk29","narSize":1982736,' +
      `"path":"/nix/store/${busyboxName}","references":[],"valid":true}]`,
  );
  expect(shell).toContain(
    "declare -A outputs=(['dev']='/nix/store/3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev' " +
      "['out']='/nix/store/grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa' )\n",
  );
});

test('outputs without a path are written to one that is made up', async () => {
  const made = await requestReal('a');
  const [dev = '', out = ''] = made.request.outputs;
  expect(made.request.outputs).toHaveLength(2);
  expect(dev).toMatch(/^nix\/store\/[^/]{32}-a-dev$/);
  expect(environmentOf(made)).toMatchObject({ out: `/${out}`, dev: `/${dev}` });
  expect(made.request.needles).toHaveLength(3);
  const known = new Map([['out', parseStorePath('z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a')]]);
  const again = derivationToRequest(resolve(...realDerivation('a'), [busybox]), {
    ...context,
    settings,
    known,
  });
  expect(again.request.outputs).toEqual([dev, 'nix/store/z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a']);
});

describe('with the network', () => {
  const fixed: DerivationOutput = {
    kind: 'fixed',
    path: parseStorePath('mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made'),
    method: 'flat',
    digest: new Digest('sha256', new Uint8Array(32)),
  };
  const outputs = new Map([['out', fixed]]);
  const impureEnvironment = new Map([
    ['http_proxy', 'p'],
    ['OTHER', 'o'],
  ]);

  test('a fixed output', () => {
    const resolved = makeResolved({ impureEnvVars: 'http_proxy no_proxy' }, { outputs });
    const made = request(resolved, { impureEnvironment });
    expect(environmentOf(made)).toEqual({
      ...always,
      NIX_OUTPUT_CHECKED: '1',
      http_proxy: 'p',
      no_proxy: '',
      impureEnvVars: 'http_proxy no_proxy',
    });
    expect(made.request.constraints.network).toBe(true);
  });

  test('an impure one, and no other', () => {
    const impure: DerivationOutput = { kind: 'impure', method: 'nar', algorithm: 'sha256' };
    const made = request(makeResolved({ impureEnvVars: 'OTHER' }, { outputs: new Map([['out', impure]]) }), {
      impureEnvironment,
    });
    expect(made.request.constraints.network).toBe(true);
    expect(environmentOf(made)).toMatchObject({ OTHER: 'o' });
    const pure = request(makeResolved({ impureEnvVars: 'OTHER' }), { impureEnvironment });
    expect(environmentOf(pure)).not.toHaveProperty('OTHER');
    expect(pure.request.constraints).toMatchObject({ network: false });
  });
});

test('variables may be odd', () => {
  const placeholder = '/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9';
  const made = request(
    makeResolved({ 'a=b': 'c', [`x${placeholder}`]: placeholder, TERM: 'dumb', HOME: '/x' }),
  );
  const out = '/nix/store/mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made';
  expect(environmentOf(made)).toMatchObject({
    a: 'b=c',
    [`x${out}`]: out,
    TERM: 'xterm-256color',
    HOME: '/x',
  });
  const latin1 = { args: [Uint8Array.of(0xff)] } satisfies Partial<Derivation>;
  expect(() => request(makeResolved({}, latin1))).toThrow(/not UTF-8/);
  expect(() => request(makeResolved({ a: 'b\0' }))).toThrow(/'a' contains a NUL byte/);
  const relative = request(makeResolved({}, { builder: encodeUtf8('dir/run') }));
  expect(relative.request).toMatchObject({ command: ['/build/dir/run', '-c', ':'], programName: 'run' });
});

describe('what a machine is and has', () => {
  const drv = '/nix/store/8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-made.drv';

  test('must be what is required', () => {
    const features = new Set(['kvm', 'benchmark']);
    const foreign = makeResolved({ requiredSystemFeatures: 'kvm xx' }, { system: encodeUtf8('foo') });
    expect(() => request(foreign, { systemFeatures: features })).toThrow(
      `Cannot build '${drv}'.\nReason: platform mismatch\nRequired system: 'foo'\nCurrent system: 'x86_64-linux'\n` +
        'Reason: missing system features\nRequired features: {kvm, xx}\nAvailable features: {benchmark, kvm}',
    );
    const known = { systems: ['x86_64-linux', 'foo'], systemFeatures: new Set(['kvm', 'xx']) };
    expect(request(foreign, known).request.constraints).toMatchObject({
      system: 'foo',
      hostPaths: [{ target: '/dev/kvm', source: '/dev/kvm', optional: true }],
    });
  });

  test('users by the thousand are for sandboxes', () => {
    const wants = makeResolved({ requiredSystemFeatures: 'uid-range' });
    expect(request(wants).request.constraints.userRange).toBe(true);
    expect(() => request(wants, { sandbox: false })).toThrow(
      "feature 'uid-range' is only supported in sandboxed builds",
    );
  });

  test('builders that are part of Nix are run elsewhere', () => {
    const builtin = makeResolved({}, { builder: encodeUtf8('builtin:fetchurl') });
    expect(() => request(builtin)).toThrow(/'builtin:fetchurl', which is not run in a sandbox/);
  });
});

describe('sandboxes', () => {
  const isolation = (environment: Record<string, string>, sandbox: BuildSettings['sandbox']): string =>
    request(makeResolved(environment), { sandbox }).request.constraints.isolation;

  test('by setting', () => {
    expect([true, false, 'relaxed' as const].map((it) => isolation({}, it))).toEqual([
      'full',
      'none',
      'full',
    ]);
    expect(isolation({ __noChroot: '1' }, 'relaxed')).toBe('none');
    expect(isolation({ __noChroot: '1' }, false)).toBe('none');
    expect(() => isolation({ __noChroot: '1' }, true)).toThrow(
      "derivation '/nix/store/8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-made.drv' has '__noChroot' set, " +
        "but that's not allowed when 'sandbox' is 'true'",
    );
  });

  test('paths of the host', () => {
    const sandboxPaths = ['/bin/sh=/usr/bin/busybox', '/a?', '/b=/c?'].map(parseSandboxPath);
    const made = request(makeResolved({ __impureHostDeps: '/dev/../x/y' }), {
      sandboxPaths,
      allowedImpureHostDeps: ['/x/'],
      sandboxClosure: [busybox],
    });
    expect(made.request.constraints).toMatchObject({
      binSh: false,
      hostPaths: [
        { target: '/bin/sh', source: '/usr/bin/busybox', optional: false },
        { target: '/a', source: '/a', optional: true },
        { target: '/b', source: '/c', optional: true },
        { target: '/x/y', source: '/x/y', optional: true },
      ],
    });
    expect([...made.request.inputs.keys()]).toEqual([busyboxName]);
    expect(made.needles.map(({ name }) => name)).toEqual(['made']);
    expect(() =>
      request(makeResolved({ __impureHostDeps: '/xy' }), { allowedImpureHostDeps: ['/x'] }),
    ).toThrow("requested impure path '/xy', but it was not in allowed-impure-host-deps");
    expect(() => parseSandboxPath('a=/b')).toThrow(/sandbox path 'a=\/b'/);
  });
});

describe('exported references', () => {
  const drvName = '8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-in.drv';
  const outName = 'mb3qwppfv3dqqhk2qvirzzzind3dqmhp-in';
  const text = (output: string): string =>
    `Derive([("out",${output})],[],["/nix/store/${busyboxName}"],"x","y",[],[])`;

  async function graphOf(output: string): Promise<readonly string[]> {
    const drv = await putPath(
      { baseName: drvName, tree: text(output), references: [busybox.storePath] },
      services,
    );
    await putPath({ baseName: outName, tree: 'out' }, services);
    const resolved = makeResolved(
      { exportReferencesGraph: `g /nix/store/${drvName}` },
      { inputs: [drv, busybox] },
    );
    const graphs = await readExportedGraphs(resolved, {
      store,
      pathInfos: services.pathInfos,
      readDerivation: async () => readDerivation(text(output), drvName).derivation,
    });
    return filesOf(request(resolved, {}, graphs))['build/g']?.split('\n') ?? [];
  }

  test('outputs of derivations are among them', async () => {
    expect(await graphOf(`"/nix/store/${outName}","",""`)).toEqual([
      ...[`/nix/store/${busyboxName}`, '', '0'],
      ...[`/nix/store/${drvName}`, '', '1', `/nix/store/${busyboxName}`],
      ...[`/nix/store/${outName}`, '', '0'],
      '',
    ]);
    await expect(graphOf('"","r:sha256",""')).rejects.toThrow(
      'exportReferences on CA derivations is not yet implemented',
    );
  });

  test('must be inputs', async () => {
    const resolved = makeResolved({ exportReferencesGraph: `g /nix/store/${busyboxName}` });
    const reading = readExportedGraphs(resolved, {
      store,
      pathInfos: services.pathInfos,
      readDerivation: () => Promise.reject(new Error('there is none')),
    });
    await expect(reading).rejects.toThrow(
      `cannot export references of path '/nix/store/${busyboxName}' because it is not in the input closure`,
    );
  });
});
