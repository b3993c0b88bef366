// Derivations that Nix 2.34.8 wrote (derivations.nix): texts, JSON, paths, hashes modulo, options, resolution.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  DerivationHashes,
  NixCompatError,
  derivationPath,
  derivationToJson,
  derivationType,
  parseDerivationJson,
  parseStorePath,
  printDerivation,
  printJson,
  readDerivationOptions,
  requiredSystemFeatures,
  resolveDerivation,
  upstreamPlaceholder,
} from '@neve/nix-compat';
import type { Derivation, UpstreamOutput } from '@neve/nix-compat';
import { lookUpSample, parseSample, sample, samples, store } from './derivation-samples.ts';

const all = Object.entries({ ...samples.derivations, ...samples.realised });
const context = { store, hashes: nodeHashes };

function hashesOfSamples(): DerivationHashes {
  return new DerivationHashes({ ...context, lookUp: lookUpSample });
}

describe.each(all)('%s', (baseName, text) => {
  test('is printed as it was read', () => {
    expect(decodeUtf8(printDerivation(parseSample(text, baseName), store))).toBe(text);
  });

  test('has the path that follows from its text', () => {
    expect(derivationPath(parseSample(text, baseName), context).baseName).toBe(baseName);
  });

  test('has outputs with the right paths', async () => {
    await hashesOfSamples().checkOutputPaths(parseSample(text, baseName));
  });
});

test.each(Object.entries(samples.shown))('%s as JSON', (baseName, shown) => {
  const derivation = parseSample(samples.derivations[baseName] ?? '', baseName);
  expect(printJson(derivationToJson(derivation))).toBe(shown);
  expect(printDerivation(parseDerivationJson(encodeUtf8(shown), store), store)).toEqual(
    printDerivation(derivation, store),
  );
});

test('kinds', () => {
  const kinds = ['plain', 'md5', 'floatingNar', 'deferred', 'usesDeferred', 'impure'].map((it) =>
    derivationType(sample(it)),
  );
  expect(kinds).toEqual(['input-addressed', 'fixed', 'floating', 'deferred', 'deferred', 'impure']);
});

test('a wrong path of an output is found, and a wrong variable', async () => {
  const hashes = hashesOfSamples();
  const right = sample('outputs');
  const path = parseStorePath('8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-outputs-dev');
  const wrong = new Map(right.outputs).set('dev', { kind: 'input-addressed', path });
  await expect(hashes.checkOutputPaths({ ...right, outputs: wrong })).rejects.toThrow(
    /has incorrect output '\/nix\/store\/8zd0[^']*-outputs-dev', should be '\/nix\/store\/[^']*-outputs-dev'/,
  );
  const environment = new Map(right.environment).set('a', encodeUtf8('/nix/store/x'));
  await expect(hashes.checkOutputPaths({ ...right, environment })).rejects.toThrow(
    /incorrect environment variable 'a', should be '\/nix\/store\/[^']*-outputs-a' but is actually '\/nix\/store\/x'/,
  );
  const fixed = sample('md5');
  const without = new Map([...fixed.environment].filter(([name]) => name !== 'out'));
  await expect(hashes.checkOutputPaths({ ...fixed, environment: without })).rejects.toThrow(/is not present/);
  const early = new Map([['out', { kind: 'input-addressed', path } as const]]);
  await expect(hashes.checkOutputPaths({ ...sample('deferred'), outputs: early })).rejects.toThrow(
    /should be deferred/,
  );
});

test('the same fixed output fetched in two ways gives what uses it one path', () => {
  const [a, b] = ['viaHttp', 'viaFile'].map(sample);
  expect(a?.outputs).toEqual(b?.outputs);
  expect(samples.names['viaHttp']).not.toBe(samples.names['viaFile']);
});

test('a derivation is asked for once, and again when that failed', async () => {
  const asked: string[] = [];
  let fails = true;
  const lookUp = async (path: ReturnType<typeof parseStorePath>): Promise<Derivation> => {
    asked.push(path.name);
    if (fails) throw new Error('not now');
    return lookUpSample(path);
  };
  const hashes = new DerivationHashes({ ...context, lookUp });
  const uses = sample('usesOutputs');
  await expect(hashes.outputPaths(uses)).rejects.toThrow('not now');
  fails = false;
  await Promise.all([hashes.checkOutputPaths(uses), hashes.checkOutputPaths(uses)]);
  expect(asked.slice(1).sort()).toEqual(['outputs.drv', 'plain.drv']);
});

describe('build traces', () => {
  const traces = samples.buildTraces.map((it) => /^(.*)!(.*) (.*)$/.exec(it)?.slice(1) ?? []);
  const realised = Object.entries(samples.realised);

  test.each(realised)('%s is found by its hash modulo', async (baseName, text) => {
    const derivation = parseSample(text, baseName);
    const { byOutput } = await hashesOfSamples().hashOfOutputs(derivation);
    for (const [output, digest] of byOutput) {
      const path = traces.find(
        ([id, name]) => id === `sha256:${digest.format('hex')}` && name === output,
      )?.[2];
      const suffix = output === 'out' ? '' : `-${output}`;
      expect(path).toMatch(new RegExp(`^.{32}-${derivation.name}${suffix}$`));
    }
  });

  test.each(realised.filter(([, text]) => text.includes('-a.drv')))(
    '%s is resolved',
    async (baseName, text) => {
      const outputPath = ({ derivation, output }: UpstreamOutput): ReturnType<typeof parseStorePath> => {
        const suffix = output === 'out' ? '' : `-${output}`;
        const name = `${derivation.name.replace(/\.drv$/, '')}${suffix}`;
        return parseStorePath(
          traces.map(([, , path = '']) => path).find((it) => it.slice(33) === name) ?? '',
        );
      };
      const resolved = await resolveDerivation(parseSample(text, baseName), { ...context, outputPath });
      const path = derivationPath(resolved, context).baseName;
      expect(Object.keys(samples.realised)).toContain(path);
      expect(path).not.toBe(baseName);
      await expect(
        resolveDerivation(parseSample(text, baseName), { ...context, outputPath: () => undefined }),
      ).rejects.toThrow(/has no path yet/);
    },
  );
});

test('placeholders of inputs', () => {
  const uses = sample('usesFloating');
  const derivation = parseStorePath(samples.names['floatingNar'] ?? '');
  const variable = (name: string): string => decodeUtf8(uses.environment.get(name) ?? new Uint8Array());
  expect(upstreamPlaceholder({ derivation, output: 'out' }, nodeHashes)).toBe(variable('floatingNar'));
  expect(upstreamPlaceholder({ derivation, output: 'dev' }, nodeHashes)).toBe(variable('dev'));
});

test('options of the environment', () => {
  const options = readDerivationOptions(sample('options'), store);
  const source = { kind: 'path', path: expect.objectContaining({ name: 'source.txt' }) };
  const plain = { kind: 'path', path: expect.objectContaining({ name: 'plain' }) };
  expect(options).toEqual({
    outputChecks: {
      kind: 'same',
      checks: {
        ignoreSelfRefs: true,
        maxSize: undefined,
        maxClosureSize: undefined,
        allowedReferences: [source, { kind: 'output', output: 'out' }],
        disallowedReferences: [plain],
        allowedRequisites: [],
        disallowedRequisites: [],
      },
    },
    unsafeDiscardReferences: new Map(),
    passAsFile: new Set(['big', 'list']),
    exportReferencesGraph: new Map([
      ['graph', [source]],
      ['other', [plain]],
    ]),
    noChroot: true,
    impureHostDeps: ['/dev/x'],
    impureEnvVars: ['A', 'http_proxy'],
    requiredSystemFeatures: ['kvm'],
    preferLocalBuild: true,
    allowSubstitutes: false,
    warnings: [],
  });
});

test('options of structured attributes', () => {
  const options = readDerivationOptions(sample('structured'), store);
  const source = { kind: 'path', path: expect.objectContaining({ name: 'source.txt' }) };
  expect(options.outputChecks).toEqual({
    kind: 'by-output',
    checks: new Map([
      [
        'dev',
        {
          ignoreSelfRefs: false,
          maxSize: 1000n,
          maxClosureSize: 2000n,
          allowedReferences: undefined,
          disallowedReferences: [{ kind: 'output', output: 'out' }],
          allowedRequisites: [],
          disallowedRequisites: [source],
        },
      ],
      [
        'out',
        {
          ignoreSelfRefs: false,
          maxSize: undefined,
          maxClosureSize: undefined,
          allowedReferences: [source, { kind: 'output', output: 'dev' }],
          disallowedReferences: [],
          allowedRequisites: undefined,
          disallowedRequisites: [],
        },
      ],
    ]),
  });
  expect(options.unsafeDiscardReferences).toEqual(new Map([['out', true]]));
  expect(options.exportReferencesGraph).toEqual(new Map([['graph', [source]]]));
  expect(requiredSystemFeatures(options, 'floating')).toEqual(
    ['big-parallel', 'ca-derivations', 'kvm'].sort(),
  );
  expect(requiredSystemFeatures(options, 'fixed')).toEqual(['big-parallel', 'kvm']);
  expect(options.warnings).toEqual([]);
});

describe('a damaged one is read or refused, and nothing else', () => {
  /** Other bytes at some places; more often those that mean something. */
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...encodeUtf8('"\\[](),:{}r')))),
    { minLength: 1, maxLength: 4 },
  );
  const damaged = (text: string, changes: readonly (readonly [number, number])[]): Uint8Array => {
    const bytes = encodeUtf8(text);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  };
  const check = (action: () => unknown): void => {
    try {
      action();
    } catch (error) {
      expect(error).toBeInstanceOf(NixCompatError);
    }
  };
  const names = fc.constantFrom(...Object.keys(samples.derivations));

  test('text', () => {
    fc.assert(
      fc.property(names, damage, (baseName, changes) => {
        check(() => {
          const bytes = damaged(samples.derivations[baseName] ?? '', changes);
          const derivation = parseSample(bytes, baseName);
          expect(parseSample(printDerivation(derivation, store), baseName)).toEqual(derivation);
          readDerivationOptions(derivation, store);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('JSON', () => {
    fc.assert(
      fc.property(names, damage, (baseName, changes) => {
        check(() => parseDerivationJson(damaged(samples.shown[baseName] ?? '', changes), store));
      }),
      { numRuns: 500 },
    );
  });
});
