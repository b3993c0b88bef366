// Generates the editor's parser of Nix from its grammar: build/nix-parser.js and build/nix-parser.terms.js, with types.
//
//   node scripts/build-grammar.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildParserFile } from '@lezer/generator';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const grammar = join(root, 'src/nix-language/nix.grammar');
const build = join(root, 'build');

/** @type {string[]} */
const warnings = [];
const { parser, terms } = buildParserFile(readFileSync(grammar, 'utf8'), {
  fileName: grammar,
  moduleStyle: 'es',
  warn: (message) => warnings.push(message),
});
for (const warning of warnings) console.error(warning);

mkdirSync(build, { recursive: true });
writeFileSync(join(build, 'nix-parser.js'), parser);
writeFileSync(join(build, 'nix-parser.terms.js'), terms);
writeFileSync(
  join(build, 'nix-parser.d.ts'),
  "import type { LRParser } from '@lezer/lr';\nexport declare const parser: LRParser;\n",
);
const names = [...terms.matchAll(/^\s+(\w+) = \d+/gm)].map(([, name]) => name);
writeFileSync(
  join(build, 'nix-parser.terms.d.ts'),
  names.map((name) => `export declare const ${name}: number;\n`).join(''),
);
if (warnings.length > 0) process.exitCode = 1;
