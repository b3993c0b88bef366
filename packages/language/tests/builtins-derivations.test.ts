/**
 * Names of derivations and their outputs against what Nix 2.34.8 names the same derivations (`nix-instantiate --eval` of
 * `derivationStrict { … }`). One case for each kind of output and of input.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type ProbeMode, compileProbe } from './probe.ts';

type Probe = {
  readonly memory: WebAssembly.Memory;
  readonly buffer: WebAssembly.Global;
  initialize(length: number): void;
  intern(length: number): number;
  textAddress(symbol: number): number;
  textLength(symbol: number): number;
  begin(name: number, system: number, builder: number): void;
  variable(name: number, value: number): void;
  output(name: number): void;
  inputDerivation(path: number, output: number): void;
  outputsBy(kind: number, method: number, algorithm: number, hash: number): void;
  finish(): number;
  outputPath(index: number): number;
};

type Case = {
  readonly name: string;
  readonly builder?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly outputs?: readonly string[];
  readonly input?: readonly [drvPath: string, output: string];
  /** Kind, method, algorithm (assembly/derivation/draft.ts, ingestion-method.ts, hash/algorithm.ts) and hash. */
  readonly by?: readonly [kind: number, method: number, algorithm: number, hash?: string];
  readonly drvPath: string;
  readonly outputPaths: readonly (string | undefined)[];
};

const sha256 = 3;
const fixed = 1;
const floating = 2;
const impure = 3;
const flat = 1;
const nar = 2;
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const hashVariables = { outputHash: emptyHash, outputHashAlgo: 'sha256' };

/** In order: later ones depend on earlier ones. */
const cases: readonly Case[] = [
  {
    name: 'a',
    drvPath: '/nix/store/046nslrgj26ds8rqyxhbhvccjr73hxwh-a.drv',
    outputPaths: ['/nix/store/r2m0kpmix9pzmcy0b82hk9xim6pis86c-a'],
  },
  {
    name: 'b',
    builder: 'y\n"\\\t\r',
    variables: { outputs: 'dev out' },
    outputs: ['dev', 'out'],
    drvPath: '/nix/store/d0gmqbzqsw2lkv8lj3znjgh8bz2m1n7x-b.drv',
    outputPaths: [
      '/nix/store/b6gibp29w0aw77s000sh7nadgvr7b1lh-b-dev',
      '/nix/store/z84mh55gc4glksib3c4f68b434x6sjih-b',
    ],
  },
  {
    name: 'c',
    builder: '/nix/store/r2m0kpmix9pzmcy0b82hk9xim6pis86c-a',
    input: ['/nix/store/046nslrgj26ds8rqyxhbhvccjr73hxwh-a.drv', 'out'],
    drvPath: '/nix/store/8iw9ckyj4ca75h2jg3fja0cwk11xllw1-c.drv',
    outputPaths: ['/nix/store/mb9mw8bpnfsrc09llb6nqfyac3c3igk1-c'],
  },
  {
    name: 'f',
    variables: hashVariables,
    by: [fixed, flat, sha256, emptyHash],
    drvPath: '/nix/store/5ykk6xwvq48lmp6sriirb4zv15wj50zb-f.drv',
    outputPaths: ['/nix/store/i8yf3p9li8bd9rwjsr5nkg63lxs367am-f'],
  },
  {
    name: 'f',
    variables: { ...hashVariables, outputHashMode: 'nar' },
    by: [fixed, nar, sha256, emptyHash],
    drvPath: '/nix/store/jlk0hj2kf7yxqdgkzsrqzri3f7pp350w-f.drv',
    outputPaths: ['/nix/store/f66gffbbljx7hpk8xw2f4ylk355g52as-f'],
  },
  {
    name: 'g',
    builder: '/nix/store/f66gffbbljx7hpk8xw2f4ylk355g52as-f',
    input: ['/nix/store/jlk0hj2kf7yxqdgkzsrqzri3f7pp350w-f.drv', 'out'],
    drvPath: '/nix/store/qlld8j69ap5mawdv422x6w357alj3c7z-g.drv',
    outputPaths: ['/nix/store/3snv9prhg3w1kp6s14338x3ijcrhwxii-g'],
  },
  {
    name: 'h',
    by: [floating, nar, sha256],
    drvPath: '/nix/store/n7q3q5880r7a33x9h7bsj69nkbf1xfwa-h.drv',
    outputPaths: [undefined],
  },
  {
    name: 'i',
    by: [impure, nar, sha256],
    drvPath: '/nix/store/8qs3mwpg0kl60p9fv6ivsxq33qg1dkb1-i.drv',
    outputPaths: [undefined],
  },
];

describe.each(['release', 'debug'] satisfies ProbeMode[])('derivations (%s)', (mode) => {
  let probe: Probe;
  beforeAll(async () => {
    const instance = await compileProbe('derivations', mode);
    probe = instance.exports as unknown as Probe;
    probe.initialize(write('/nix/store'));
  }, 240_000);

  function write(text: string): number {
    const bytes = new TextEncoder().encode(text);
    new Uint8Array(probe.memory.buffer).set(bytes, probe.buffer.value as number);
    return bytes.length;
  }

  const symbol = (text: string): number => probe.intern(write(text));

  function text(of: number): string | undefined {
    if (of === 0) return undefined;
    return new TextDecoder().decode(
      new Uint8Array(probe.memory.buffer, probe.textAddress(of), probe.textLength(of)),
    );
  }

  function make(made: Case): { drvPath: string | undefined; outputPaths: (string | undefined)[] } {
    const { name, builder = 'y', outputs = ['out'], input, by = [0, 0, 0] } = made;
    probe.begin(symbol(name), symbol('x'), symbol(builder));
    // `__contentAddressed` and `__impure` are no variables of the builder.
    const variables = { builder, name, system: 'x', ...made.variables };
    for (const [key, value] of Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))) {
      probe.variable(symbol(key), symbol(value));
    }
    for (const output of outputs) probe.output(symbol(output));
    if (input !== undefined) probe.inputDerivation(symbol(input[0]), symbol(input[1]));
    probe.outputsBy(by[0], by[1], by[2], by[3] === undefined ? 0 : symbol(by[3]));
    const drvPath = text(probe.finish());
    return { drvPath, outputPaths: outputs.map((_, index) => text(probe.outputPath(index))) };
  }

  test('are named as Nix names them', () => {
    for (const made of cases) {
      expect(make(made), made.name).toEqual({ drvPath: made.drvPath, outputPaths: made.outputPaths });
    }
  });
});
