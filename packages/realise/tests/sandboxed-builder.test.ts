// Derivations go through `SandboxedBuilder` to a build service of the test's own, whose commands make what the test says.
// Messages are those of Nix 2.34.8.
import { beforeEach, describe, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { BuildError, type BuildRequest, type BuildService } from '@neve/build';
import { FetchError } from '@neve/fetch';
import type { Derivation, StorePath } from '@neve/nix-compat';
import { outputPlaceholder, parseStorePath } from '@neve/nix-compat';
import {
  type BuildJob,
  type RealiseError,
  type Realisations,
  SandboxedBuilder,
  type SandboxedBuilderOptions,
  memoryRealisations,
} from '@neve/realise';
import type { PathInfo } from '@neve/store';
import {
  type TestStore,
  buildByHand,
  makeResolved,
  putPath,
  settings,
  store,
  testStore,
} from './hand-build.ts';

let services: TestStore;
let realisations: Realisations;
/** What the service was asked for. */
let requests: BuildRequest[];
/** What a build prints and how it ends; it makes a text without an error. */
let printed: string;
let failure: BuildError | undefined;
let made: string;

const service: BuildService = {
  async build(request, { onLog } = {}) {
    requests.push(request);
    onLog?.(encodeUtf8(printed));
    if (failure !== undefined) throw failure;
    return await buildByHand(
      request,
      request.outputs.map(() => made),
      services,
    );
  },
  systems: async () => ['x86_64-linux'],
  [Symbol.asyncDispose]: async () => undefined,
};

beforeEach(() => {
  services = testStore();
  realisations = memoryRealisations();
  requests = [];
  printed = '';
  failure = undefined;
  made = 'made';
});

const drvPath = parseStorePath('8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-made.drv');
const outPath = '/nix/store/mb3qwppfv3dqqhk2qvirzzzind3dqmhp-made';
const printedDrvPath = store.print(drvPath);

function builder(options: Partial<SandboxedBuilderOptions> = {}): SandboxedBuilder {
  return new SandboxedBuilder({
    service,
    store: services,
    storeDirectory: store,
    hashes: nodeHashes,
    settings: { ...settings, sandbox: true, limits: { timeMs: 60_000, silenceMs: 1500 } },
    realisations,
    logCommand: 'neve log',
    logLines: 3,
    readDerivation: async () => Promise.reject(new Error('no derivation is read here')),
    fetcher: { fetch: async () => Promise.reject(new FetchError('unsupported', 'nothing is fetched here')) },
    unpack: async () => Promise.reject(new Error('nothing is unpacked here')),
    ...options,
  });
}

async function prepare(
  changes: Partial<Derivation> = {},
  {
    inputs = new Map(),
    closure = [],
    ...options
  }: Partial<SandboxedBuilderOptions> & {
    readonly inputs?: ReadonlyMap<string, ReadonlyMap<string, PathInfo>>;
    readonly closure?: readonly PathInfo[];
  } = {},
): Promise<BuildJob> {
  const { derivation } = makeResolved({ out: outPath }, changes);
  return await builder(options).prepare({ drvPath, derivation, inputs, closure });
}

async function run(job: BuildJob): Promise<ReadonlyMap<string, PathInfo>> {
  return await job.build({ mode: 'build', onLog: () => undefined });
}

async function failed(job: Promise<BuildJob>): Promise<RealiseError> {
  try {
    await run(await job);
  } catch (error) {
    return error as RealiseError;
  }
  throw new Error('it did not fail');
}

const logs = {
  start: async () => ({ write: () => undefined, end: async () => undefined }),
};

describe('failures', () => {
  test('with the end of the log and where the rest is', async () => {
    printed = 'one\ntwo\nthree\n10%\r100%\nlast';
    failure = new BuildError('failed', 'x', { status: { code: 3 } });
    const error = await failed(prepare({}, { logs }));
    expect(error.code).toBe('failed');
    expect(error.message).toBe(
      [
        `Cannot build '${printedDrvPath}'.`,
        'Reason: builder failed with exit code 3.',
        'Output paths:',
        `  ${outPath}`,
        'Last 3 log lines:',
        '> three',
        '> 100%',
        '> last',
        'For full logs, run:',
        `  neve log ${printedDrvPath}`,
      ].join('\n'),
    );
  });

  test.each<[string, BuildError, string, string]>([
    [
      'a signal',
      new BuildError('failed', 'x', { status: { signal: 'SIGKILL' } }),
      'failed',
      'builder failed due to signal SIGKILL',
    ],
    ['too long', new BuildError('timeout', 'x'), 'timeout', 'timed out after 60 seconds'],
    ['too silent', new BuildError('silent', 'x'), 'timeout', 'timed out after 1.5 seconds without output'],
    [
      'no sandbox',
      new BuildError('no-sandbox', 'the kernel forbids it'),
      'unsupported',
      'the kernel forbids it',
    ],
    ['a limit', new BuildError('limit-exceeded', 'too much'), 'failed', 'too much'],
  ])('%s', async (_, cause, code, reason) => {
    failure = cause;
    const error = await failed(prepare());
    expect(error.code).toBe(code);
    expect(error.message).toBe(
      `Cannot build '${printedDrvPath}'.\nReason: ${reason}.\nOutput paths:\n  ${outPath}`,
    );
    expect(error.cause).toBe(cause);
  });

  test('of a fixed output may go well another time', async () => {
    failure = new BuildError('failed', 'x', { status: { code: 1 } });
    const path = parseStorePath(outPath.slice('/nix/store/'.length));
    const digest = nodeHashes.hash('sha256', encodeUtf8('other'));
    const outputs = new Map([['out', { kind: 'fixed', path, method: 'flat', digest } as const]]);
    expect((await failed(prepare({ outputs }))).code).toBe('fixed-output-failed');
  });

  test('a bug stays one', async () => {
    const bug = new TypeError('a bug');
    const broken = { ...service, build: async () => Promise.reject(bug) };
    expect(await failed(prepare({}, { service: broken }))).toBe(bug);
  });
});

test('the log is written whole, whatever the end', async () => {
  printed = 'all of it';
  failure = new BuildError('failed', 'x', { status: { code: 3 } });
  const calls: string[] = [];
  const sink = {
    start: async (derivation: StorePath) => {
      calls.push(`start ${derivation.name}`);
      return {
        write: (bytes: Uint8Array) => void calls.push(`write ${new TextDecoder().decode(bytes)}`),
        end: async () => void calls.push('end'),
      };
    },
  };
  await failed(prepare({}, { logs: sink }));
  expect(calls).toEqual(['start made.drv', 'write all of it', 'end']);
});

test('what is there is present, and nobody else makes it meanwhile', async () => {
  const job = await prepare();
  expect(await job.present()).toBe(undefined);
  expect(job.lockedPaths.map((it) => store.print(it))).toEqual([outPath]);
  const outputs = await run(job);
  expect(store.print((outputs.get('out') as PathInfo).storePath)).toBe(outPath);
  expect(await job.present()).toEqual(outputs);
});

test('another build that gives something else is not reproducible, and changes nothing', async () => {
  const job = await prepare();
  const outputs = await run(job);
  const check = async (): Promise<unknown> => await job.build({ mode: 'check', onLog: () => undefined });
  expect(await check()).toEqual(outputs);
  made = 'something else';
  await expect(check()).rejects.toMatchObject({ code: 'not-reproducible' });
  expect(await job.present()).toEqual(outputs);
});

describe('outputs whose path follows from their contents', () => {
  const floating = new Map([['out', { kind: 'floating', method: 'nar', algorithm: 'sha256' } as const]]);
  const inputDrvs = [
    parseStorePath('1zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-input.drv'),
    parseStorePath('2zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-input.drv'),
  ];

  /** A job that needs the same input from one or the other derivation. */
  async function needing(inputDrv: StorePath, input: PathInfo): Promise<BuildJob> {
    const { derivation } = makeResolved({ input: store.print(inputDrv) }, { outputs: floating });
    return await prepare(
      {
        outputs: floating,
        inputDerivations: [{ path: inputDrv, outputs: ['out'] }],
        environment: new Map([['out', encodeUtf8(outputPlaceholder('out', nodeHashes))]]),
      },
      {
        inputs: new Map([[inputDrv.hashPart, new Map([['out', input]])]]),
        closure: [input],
        readDerivation: async (path) => ({
          ...derivation,
          name: 'input',
          // The hash modulo tells the two apart.
          environment: new Map([['path', encodeUtf8(path.hashPart)]]),
        }),
      },
    );
  }

  test('an input that is built anew and is the same needs no other build', async () => {
    const input = await putPath({ baseName: '71fc7s32zl20dc955bhghy5dvalm7ndz-input', tree: 'x' }, services);
    const [one, two] = await Promise.all(inputDrvs.map((it) => needing(it, input)));
    if (one === undefined || two === undefined) throw new Error('there are two');
    expect(one.lockedPaths).toEqual(two.lockedPaths);
    expect(await one.present()).toBe(undefined);
    const outputs = await run(one);
    expect(await two.present()).toEqual(outputs);
    expect(requests).toHaveLength(1);
    expect((outputs.get('out') as PathInfo).contentAddress?.method).toBe('nar');
  });

  test('another input does', async () => {
    const inputs = await Promise.all(
      ['71fc7s32zl20dc955bhghy5dvalm7ndz-input', '61fc7s32zl20dc955bhghy5dvalm7ndz-input'].map((baseName) =>
        putPath({ baseName, tree: 'x' }, services),
      ),
    );
    const [one, two] = await Promise.all(inputs.map((it, index) => needing(inputDrvs[index] ?? drvPath, it)));
    await run(one as BuildJob);
    expect((one as BuildJob).lockedPaths).not.toEqual((two as BuildJob).lockedPaths);
    expect(await two?.present()).toBe(undefined);
  });
});
