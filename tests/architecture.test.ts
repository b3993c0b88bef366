/**
 * The architecture of ARCHITECTURE.md, enforced: layers, declared dependencies, exports, no cycles of values between
 * files, `node:*` only under `src/node/`, and a language core that nobody imports as TypeScript.
 *
 * A source is looked at as text: comments are blanked out, then its import and export declarations are read. The
 * formatter keeps them regular, so that no parser is needed. The last tests show each rule finding a planted offence.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** A package imports only packages of lower layers. `language` is below `eval`; apps are on top. */
const layers: Readonly<Record<string, number>> = {
  '@neve/bytes': 0,
  '@neve/diagnostics': 0,
  '@neve/telemetry': 0,
  '@neve/telemetry-otlp': 1,
  '@neve/compose': 1,
  '@neve/http': 1,
  '@neve/language': 2,
  '@neve/nix-compat': 2,
  '@neve/castore': 2,
  '@neve/store': 3,
  '@neve/build': 3,
  '@neve/eval': 3,
  '@neve/fetch': 4,
  '@neve/realise': 5,
  '@neve/rpc': 5,
  '@neve/nar-bridge': 5,
  '@neve/eval-images': 6,
  '@neve/eval-store': 6,
  '@neve/nix-daemon': 6,
  neve: 7,
  '@neve/playground': 7,
  '@neve/docs': 7,
};

type Manifest = {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
};

/** `path` is relative to the workspace, as in `packages/bytes/src/hex.ts`. */
type SourceFile = { readonly path: string; readonly text: string };

type Package = {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly references: readonly string[];
  readonly files: readonly SourceFile[];
};

type Import = { readonly specifier: string; readonly typeOnly: boolean };

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

// Reading the workspace

function readWorkspace(): readonly Package[] {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group))
      .map((name) => `${group}/${name}`)
      .filter((folder) => existsSync(join(root, folder, 'package.json')))
      .map(readPackage),
  );
}

function readPackage(folder: string): Package {
  const manifest = readJson(join(folder, 'package.json')) as Manifest;
  const config = readJson(join(folder, 'tsconfig.json')) as { references?: { path: string }[] };
  const references = (config.references ?? []).map(({ path }) => join(folder, path));
  return { folder, manifest, references, files: sourcesUnder(join(folder, 'src')) };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function sourcesUnder(folder: string): readonly SourceFile[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?ts$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const declaration =
  /(?:^|[;\n}])\s*(?:import|export)\s+(type\s+)?(?:([^'"();]*?)\s*\bfrom\s*)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/g;

function importsOf({ text }: SourceFile): readonly Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|(^|[^:'"`\\])\/\/[^\n]*/g, '$1');
  return [...code.matchAll(declaration)].map(([, type, clause, specifier, dynamic]) => ({
    specifier: specifier ?? dynamic ?? '',
    typeOnly: type !== undefined || isTypeClause(clause),
  }));
}

/** Whether braces name types only: `{ type A, type B }`. */
function isTypeClause(clause: string | undefined): boolean {
  const names = /^\{([^}]*)\}$/
    .exec(clause?.trim() ?? '')?.[1]
    ?.split(',')
    .filter((name) => name.trim() !== '');
  return names !== undefined && names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
}

// The rules: each gives offences as sentences

function checkWorkspace(packages: readonly Package[], shared: ReadonlySet<string>): readonly string[] {
  const byName = new Map(packages.map((it) => [it.manifest.name, it]));
  return packages.flatMap((it) => [
    ...checkManifest(it, byName),
    ...it.files.flatMap((file) =>
      importsOf(file).flatMap(({ specifier }) => checkImport({ it, file, specifier, byName, shared })),
    ),
    ...checkCycles(it),
  ]);
}

function checkManifest(
  { folder, manifest, references }: Package,
  byName: ReadonlyMap<string, Package>,
): string[] {
  const layer = layers[manifest.name];
  if (layer === undefined) return [`${folder} is in no layer`];
  const dependencies = Object.keys(manifest.dependencies ?? {}).filter((name) => byName.has(name));
  const folders = dependencies.map((name) => byName.get(name)?.folder ?? '');
  return [
    ...dependencies
      .filter((name) => (layers[name] ?? Infinity) >= layer)
      .map((name) => `${manifest.name} may not depend on ${name}, which is not below it`),
    ...folders
      .filter((it) => !references.includes(it))
      .map((it) => `${folder}/tsconfig.json does not refer to ${it}`),
    ...references
      .filter((it) => !folders.includes(it))
      .map((it) => `${folder}/package.json does not depend on ${it}`),
  ];
}

type ImportCheck = {
  readonly it: Package;
  readonly file: SourceFile;
  readonly specifier: string;
  readonly byName: ReadonlyMap<string, Package>;
  /** Packages that every test may import. */
  readonly shared: ReadonlySet<string>;
};

function checkImport({ it, file, specifier, byName, shared }: ImportCheck): string[] {
  const isTest = file.path.endsWith('.test.ts');
  const offence = (what: string): string[] => [`${file.path} imports ${specifier}: ${what}`];
  if (specifier.startsWith('.')) {
    const target = join(dirname(file.path), specifier);
    const own = [`${it.folder}/src/`, `${it.folder}/build/`, ...(isTest ? [`${it.folder}/tests/`] : [])];
    return own.some((folder) => target.startsWith(folder))
      ? []
      : offence('outside the sources of its package');
  }
  if (specifier.startsWith('node:')) {
    const allowed = isTest || it.folder.startsWith('apps/') || file.path.startsWith(`${it.folder}/src/node/`);
    return allowed ? [] : offence('only files under src/node/ may');
  }
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '';
  if (isTest && shared.has(name)) return [];
  const declared = name in (it.manifest.dependencies ?? {}) || (isTest && name === it.manifest.name);
  if (!declared) return offence('not a declared dependency');
  const exports = byName.get(name)?.manifest.exports;
  // What follows a question mark is for the bundler: `?url`.
  const path = specifier.slice(name.length).replace(/\?.*$/, '');
  if (exports !== undefined && !(`.${path}` in exports)) return offence('not among its exports');
  return [];
}

/** Cycles through imports that exist at run time, each told once. */
function checkCycles({ files }: Package): string[] {
  const targets = new Map(files.map((file) => [file.path, valueTargets(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      cycles.push(`a cycle of values: ${[...way.slice(way.indexOf(path)), path].join(' → ')}`);
    } else if (!done.has(path)) {
      for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    }
  };
  for (const file of files) visit(file.path, []);
  return cycles;
}

function valueTargets(file: SourceFile): string[] {
  return importsOf(file)
    .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
    .map(({ specifier }) => join(dirname(file.path), specifier));
}

/** The core is AssemblyScript: its files import each other and nothing else. */
function checkAssembly(files: readonly SourceFile[], assembly: string): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter(
        ({ specifier }) =>
          !specifier.startsWith('.') || !join(dirname(file.path), specifier).startsWith(assembly),
      )
      .map(({ specifier }) => `${file.path} imports ${specifier}, which is not in the language core`),
  );
}

// The workspace

const { devDependencies = {} } = readJson('package.json') as Manifest;
const sharedByTests = new Set(Object.keys(devDependencies));

test('the workspace keeps to its architecture', () => {
  expect(checkWorkspace(readWorkspace(), sharedByTests)).toEqual([]);
});

test('the language core imports only itself', () => {
  const assembly = 'packages/language/assembly';
  expect(checkAssembly(sourcesUnder(assembly), assembly)).toEqual([]);
});

// The rules find what they are for

describe('an offence is found', () => {
  const lower: Package = {
    folder: 'packages/bytes',
    manifest: { name: '@neve/bytes', exports: { '.': {} } },
    references: [],
    files: [],
  };

  /** Offences of one package over `bytes`, with these files and this manifest. */
  function offences(files: Record<string, string>, manifest: Partial<Manifest> = {}): readonly string[] {
    const upper: Package = {
      folder: 'packages/store',
      manifest: { name: '@neve/store', dependencies: { '@neve/bytes': '1' }, ...manifest },
      references: ['packages/bytes'],
      files: Object.entries(files).map(([name, text]) => ({ path: `packages/store/src/${name}`, text })),
    };
    return checkWorkspace([lower, upper], new Set(['vitest']));
  }

  test.each<[string, Record<string, string>, RegExp]>([
    ['undeclared', { 'a.ts': "import { x } from 'left-pad';" }, /not a declared dependency/],
    [
      'undeclared, for the type',
      { 'a.ts': "import type { X } from '@neve/castore';" },
      /not a declared dependency/,
    ],
    ['undeclared, later', { 'a.ts': "const x = await import('left-pad');" }, /not a declared dependency/],
    ['vitest outside tests', { 'a.ts': "import { test } from 'vitest';" }, /not a declared dependency/],
    ['deep', { 'a.ts': "export { x } from '@neve/bytes/src/hex.ts';" }, /not among its exports/],
    ['a neighbour by path', { 'a.ts': "import { x } from '../../bytes/src/hex.ts';" }, /outside the sources/],
    ['the core', { 'a.ts': "import { x } from '../../language/assembly/index.ts';" }, /outside the sources/],
    ['node', { 'a.ts': "import {\n  join,\n} from 'node:path';" }, /only files under src\/node\//],
    ['node, for its effect', { 'a.ts': "import 'node:path';" }, /only files under src\/node\//],
    [
      'a cycle',
      {
        'a.ts': "import { b } from './b.ts';",
        'b.ts': "export * from './c.ts';",
        'c.ts': "import { a, type A } from './a.ts';",
      },
      /a\.ts → .*b\.ts → .*c\.ts → .*a\.ts/,
    ],
  ])('%s', (_, files, expected) => {
    expect(offences(files)).toEqual([expect.stringMatching(expected)]);
  });

  test('a layer', () => {
    expect(offences({}, { name: '@neve/compose', dependencies: { '@neve/bytes': '1' } })).toEqual([]);
    expect(checkManifest({ ...lower, manifest: { name: '@neve/else' } }, new Map())).toHaveLength(1);
    const upward = { ...lower, manifest: { name: '@neve/bytes', dependencies: { '@neve/bytes': '1' } } };
    expect(checkManifest(upward, new Map([['@neve/bytes', lower]])).join('\n')).toMatch(/not below it/);
  });

  test('in the core', () => {
    const file = {
      path: 'core/a.ts',
      text: "import { x } from '../src/index.ts';\nimport { y } from './b';",
    };
    expect(checkAssembly([file], 'core')).toHaveLength(1);
  });

  test('and nothing that is none', () => {
    const allowed = {
      'a.ts': "import type { B } from './b.ts';\n// import 'left-pad';\n/* import 'x' */\nexport type A = B;",
      'b.ts': "import { type A } from './a.ts';\nimport { x } from '@neve/bytes';",
      'node/c.ts': "import { join } from 'node:path';",
      'a.test.ts': "import { test } from 'vitest';\nimport 'node:fs';",
    };
    expect(offences(allowed)).toEqual([]);
  });
});
