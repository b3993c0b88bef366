// Takes OpenTelemetry's packages as ECMAScript modules where they are imported as such: then what nobody uses of them is left out,
// which is most of it, like thousands of constants. esbuild prefers CommonJS for Node. Packages that are CommonJS only (those for
// gRPC) keep CommonJS copies of what they require, since chunks of CommonJS cannot have modules that begin late.
//
// What these modules import of Node becomes a `require`, which may stand anywhere in a chunk.
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';

/** Where a package may have its modules, by the part that is imported. */
const entries = {
  '': ['build/esm/index.js', 'dist/index.mjs'],
  'node-http': ['build/esm/index-node-http.js'],
};

const staticImport = /^import (?:\* as (\w+)|(\w+)|(\{[^}]*\})) from ['"]([^'"]+)['"];$/gm;

/** @param {string} nodeModules @returns {import('esbuild').Plugin} */
export function openTelemetryModules(nodeModules) {
  return {
    name: 'opentelemetry-modules',
    setup(building) {
      building.onResolve({ filter: /^@opentelemetry\// }, ({ path, kind }) => {
        if (kind === 'require-call') return undefined;
        const [scope = '', name = '', part = ''] = path.split('/');
        const files = Object.hasOwn(entries, part) ? entries[/** @type {keyof typeof entries} */ (part)] : [];
        const found = files
          .map((file) => join(nodeModules, scope, name, file))
          .find((file) => existsSync(file));
        return found === undefined ? undefined : { path: found, sideEffects: false };
      });
      building.onLoad({ filter: /@opentelemetry\/.*\/esm\/.*\.js$/ }, ({ path }) => ({
        contents: withRequires(readFileSync(path, 'utf8')),
        loader: 'js',
      }));
    },
  };
}

/** @param {string} source */
function withRequires(source) {
  // oxlint-disable-next-line eslint/max-params -- as `replace` has them
  return source.replaceAll(staticImport, (all, whole, byDefault, names, from) => {
    if (!isBuiltin(from)) return all;
    const wanted = whole ?? byDefault ?? names.replaceAll(' as ', ': ');
    return `const ${wanted} = require('${from}');`;
  });
}
