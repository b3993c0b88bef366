// The rules of the language core which the AssemblyScript compiler does not know. Its sources are looked at as
// text with comments and literals blanked out, so that a word in a comment is never a finding.
//
//   for (;;)     asc 0.28 drops the code behind such a loop when its body mixes `continue` and `break`
//   new, Array<  would allocate managed objects, and the stub runtime never frees them
//   `…${…}`      concatenates managed strings at run time
//   import       of something that is not used
//
// Run by the build and, over the whole package, as `node scripts/lint-assembly.mjs`.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const rules = [
  { pattern: /\bfor\s*\(\s*;\s*;\s*\)/g, message: 'use `while (true)`: asc miscompiles `for (;;)`' },
  { pattern: /\bnew\s+[A-Za-z_]/g, message: 'no managed objects: `new` allocates one' },
  { pattern: /\b(?:Static)?Array\s*</g, message: 'no managed objects: an array is one' },
  {
    pattern: /(?<!\\)\$\{/g,
    message: 'no template literals with substitutions: they concatenate managed strings',
  },
];

/**
 * Comments and quoted strings replaced by spaces, line breaks kept, so that offsets stay true.
 *
 * @param {string} source
 */
function blank(source) {
  const blanked = (/** @type {string} */ text) => text.replace(/[^\n]/g, ' ');
  return source.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, blanked);
}

/**
 * Problems of one source text, as `file:line:column: message`.
 *
 * @param {string} file
 * @param {string} source
 * @returns {string[]}
 */
export function lintSource(file, source) {
  const text = blank(source);
  const problems = [];
  for (const { pattern, message } of rules) {
    for (const match of text.matchAll(pattern)) {
      const before = text.slice(0, match.index).split('\n');
      problems.push(`${file}:${before.length}:${(before.at(-1) ?? '').length + 1}: ${message}`);
    }
  }
  for (const name of unusedImports(text)) problems.push(`${file}: '${name}' is imported and not used`);
  return problems;
}

/** @param {string} text without comments and literals */
function unusedImports(text) {
  const imports = /\bimport\s*\{([^}]*)\}/g;
  const rest = text.replaceAll(imports, '');
  return [...text.matchAll(imports)]
    .flatMap(([, names = '']) => names.split(','))
    .map(
      (name) =>
        name
          .trim()
          .split(/\s+as\s+/)
          .at(-1) ?? '',
    )
    .filter((name) => name !== '' && !new RegExp(`\\b${name}\\b`).test(rest));
}

/**
 * Problems of all AssemblyScript files under a folder.
 *
 * @param {string} folder
 * @returns {string[]}
 */
export function lintAssembly(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .flatMap((file) => lintSource(relative(process.cwd(), file), readFileSync(file, 'utf8')));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = lintAssembly(join(dirname(fileURLToPath(import.meta.url)), '..', 'assembly'));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
