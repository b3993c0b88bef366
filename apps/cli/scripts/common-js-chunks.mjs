// Turns the chunks that esbuild makes when it splits a bundle, which can only be ECMAScript modules, into CommonJS: Node
// starts it faster, and its compiled code can be cached on every version of Node.
//
//     import{a as b}from"./chunk-X.cjs";      const{a:b}=require("./chunk-X.cjs");
//     import("./grpc-Y.cjs")                  importChunk("./grpc-Y.cjs")
//     export{a as b};                         module.exports={b:a};
//     export default require_library();       module.exports={__proto__:it,default:it};
//
// esbuild writes imports first and exports last, without spaces. An importing chunk takes the values as they are when the
// exporting one has run, so that using them costs nothing: chunks must not import each other in a circle, and nothing
// exported may change later. The first is checked here, the second by the linter (`no-mutable-exports`).
import { basename } from 'node:path';
import { compileFunction } from 'node:vm';

/** What Node gives to a CommonJS script. */
const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];

const staticImport = /^import(?:\{([^}]*)\}from)?"([^"]+)";/;
const dynamicImport = /\bimport\(("[^"]+")\)/g;
const lastExport = /export(?:\{([^}]*)\}| default (require_\w+\(\)));\s*$/;

/**
 * What `import()` of a CommonJS library would give: what it exports, and all of it as `default`.
 *
 * @param {string} library
 */
function namespaceOf(library) {
  return `{__proto__:${library},default:${library}}`;
}

const importChunk = `const importChunk=async(name)=>{const it=require(name);return name.startsWith("./")?it:${namespaceOf('it')}};`;

/** What stands for `import.meta.url`. */
const scriptUrl = `const scriptUrl=require("node:url").pathToFileURL(__filename).href;`;

/**
 * The text of a chunk as CommonJS.
 *
 * @param {string} name
 * @param {string} text
 */
export function commonJsChunk(name, text) {
  let rest = text;
  let head = '"use strict";';
  for (let found = staticImport.exec(rest); found !== null; found = staticImport.exec(rest)) {
    const [all, names, chunk] = found;
    head += names === undefined ? `require("${chunk}");` : `const{${renamed(names)}}=require("${chunk}");`;
    rest = rest.slice(all.length);
  }
  const [last = '', names, library] = lastExport.exec(rest) ?? [];
  rest = rest.slice(0, rest.length - last.length);
  let tail = '';
  if (names !== undefined) tail = `module.exports={${exported(names)}};`;
  if (library !== undefined) tail = `const it=${library};module.exports=${namespaceOf('it')};`;
  if (rest.includes('scriptUrl')) head += scriptUrl;
  if (rest.search(dynamicImport) >= 0) head += importChunk;
  rest = rest.replaceAll(dynamicImport, 'importChunk($1)');
  const script = `${head}${rest}${tail}\n`;
  // What is still an import or an export is no CommonJS.
  compileFunction(script, parameters, { filename: name });
  return script;
}

/** `a as b,c` of an import. @param {string} names */
function renamed(names) {
  return names.replaceAll(' as ', ':');
}

/** `a as b,c` of an export. @param {string} names */
function exported(names) {
  return names
    .split(',')
    .map((name) => name.split(' as '))
    .map(([local, outside = local]) => `${outside}:${local}`)
    .join(',');
}

/**
 * Throws when chunks import each other in a circle.
 *
 * @param {import('esbuild').Metafile} metafile
 */
export function checkChunkOrder({ outputs }) {
  /** @type {Set<string>} */
  const done = new Set();
  /** @type {(path: string, above: readonly string[]) => void} */
  const visit = (path, above) => {
    if (above.includes(path))
      throw new Error(`chunks in a circle: ${[...above, path].map((it) => basename(it)).join(' → ')}`);
    if (done.has(path)) return;
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) visit(next, [...above, path]);
    }
    done.add(path);
  };
  for (const path of Object.keys(outputs)) visit(path, []);
}
