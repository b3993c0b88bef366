// Loads what a bundle needs of Node's own modules as late and as cheaply as possible, while sources import it as usual.
//
// Modules that Node itself needs to start are a plain `require`: esbuild would wrap each of them into an object with a getter
// for everything that the module exports, which takes some milliseconds when the command starts. The others take up to five
// milliseconds each and are loaded when a function first uses them: every use of `spawn`, say, becomes a use of
// `lateBuiltins.child_process.spawn`.
import { transform } from 'esbuild';
import { readFileSync } from 'node:fs';

/** What takes long to load and is not needed by every command. */
const late = [
  'assert',
  'child_process',
  'crypto',
  'http2',
  'https',
  'net',
  'os',
  'stream',
  'timers/promises',
  'worker_threads',
  'zlib',
];

const importFromNode = /^import (?:\{([^}]*)\}|\* as (\w+)) from 'node:([\w/]+)';\n/gm;

/**
 * The plugin for the sources of this repository, whose formatter keeps imports regular.
 *
 * @type {import('esbuild').Plugin}
 */
export const lateBuiltins = {
  name: 'late-builtins',
  setup(building) {
    building.onResolve({ filter: /^neve:late-builtins$/ }, ({ path }) => ({
      path,
      namespace: 'late-builtins',
    }));
    building.onLoad({ filter: /.*/, namespace: 'late-builtins' }, () => ({ contents: definition }));
    building.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const { contents, uses } = rewriteImports(readFileSync(path, 'utf8'));
      if (Object.keys(uses).length === 0) return { contents, loader: 'ts' };
      const { code } = await transform(contents, {
        loader: 'ts',
        target: 'esnext',
        define: uses,
        tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      });
      return { contents: `import { lateBuiltins } from 'neve:late-builtins';\n${code}`, loader: 'js' };
    });
  },
};

/**
 * `uses` says what stands for each name that was imported from a late module.
 *
 * @param {string} source
 */
function rewriteImports(source) {
  /** @type {Record<string, string>} */
  const uses = {};
  const contents = source.replace(
    importFromNode,
    (_, /** @type {string | undefined} */ list, all, module) => {
      const names = (list ?? '').split(',').map((name) => name.trim());
      const values = names.filter((name) => name !== '' && !name.startsWith('type '));
      if (!late.includes(module)) {
        const wanted = all ?? `{ ${values.map((name) => name.replace(' as ', ': ')).join(', ')} }`;
        return `const ${wanted} = require('node:${module}');\n`;
      }
      const home = `lateBuiltins.${propertyOf(module)}`;
      if (all !== undefined) uses[all] = home;
      for (const value of values) {
        const [name = '', local = name] = value.split(' as ');
        uses[local] = `${home}.${name}`;
      }
      return '';
    },
  );
  return { contents, uses };
}

/** @param {string} module */
function propertyOf(module) {
  return module.replace('/', '_');
}

/** Each property becomes the module when it is first read. */
const definition = `
export const lateBuiltins = {};
for (const [key, name] of ${JSON.stringify(late.map((module) => [propertyOf(module), module]))}) {
  const get = () => {
    const value = require('node:' + name);
    Object.defineProperty(lateBuiltins, key, { value });
    return value;
  };
  Object.defineProperty(lateBuiltins, key, { get, configurable: true });
}
`;
