// Makes the pages of the site in `build/pages`: those of `docs` at their places in the site, ARCHITECTURE.md and
// CONTRIBUTING.md, and what is written by the code: the reference of builtins and of commands.
//
// The repository's pages link to each other as files; here links are rewritten to where the pages are in the site. A link
// to a file that is no page becomes plain text, since the site has no repository to point to.

import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtinPages } from './builtin-pages.mjs';
import { commandPages } from './command-pages.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const target = join(root, 'apps/docs/build/pages');

/** Files of the repository and the pages that they are; every other file in `docs` keeps its place. */
const places = new Map([
  ['ARCHITECTURE.md', 'architecture.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['README.md', 'about.md'],
  ...[
    'evaluate',
    'images',
    'jobs',
    'repl',
    'build',
    'binary-cache',
    'cache-server',
    'store',
    'nix-daemon',
    'daemon',
    'tracing',
    'profiling',
    'embed',
    'backend',
  ].map((name) => /** @type {const} */ ([`docs/${name}.md`, `guides/${name}.md`])),
  ...['language', 'configuration', 'formats', 'protocols'].map(
    (name) => /** @type {const} */ ([`docs/${name}.md`, `reference/${name}.md`]),
  ),
]);

/**
 * The page that a file of the repository is, or nothing.
 *
 * @param {string} file relative to the repository
 */
function pageOf(file) {
  const place = places.get(file);
  if (place !== undefined) return place;
  if (file === 'docs/README.md') return 'index.md';
  if (file.startsWith('docs/') && file.endsWith('.md') && existsSync(join(root, file)))
    return file.slice('docs/'.length);
  // A folder of the documentation is its index.
  if (file === 'docs/adr') return 'adr/index.md';
  return undefined;
}

/** @param {string} file */
function copyPage(file) {
  const page = pageOf(file);
  if (page === undefined) throw new Error(`${file} is no page`);
  write(page, rewriteLinks(readFileSync(join(root, file), 'utf8'), { file, page }));
}

/**
 * @param {string} text
 * @param {{ file: string, page: string }} from
 */
function rewriteLinks(text, { file, page }) {
  let fenced = false;
  return text
    .split('\n')
    .map((line) => {
      if (line.startsWith('```')) fenced = !fenced;
      if (fenced) return line;
      return line.replace(/\[([^\]]*)\]\(([^)\s]+)\)/g, (whole, label, link) => {
        if (/^([a-z]+:|#|\/)/.test(link)) return whole;
        const [path = '', anchor] = link.split('#');
        // Links to what is generated are written as the site has them.
        if (/(^|\/)reference\//.test(path)) {
          const generated = posix.normalize(posix.join(posix.dirname(file), path)).replace(/^docs\//, '');
          return `[${label}](${relativeLink(page, generated)}${anchor === undefined ? '' : `#${anchor}`})`;
        }
        const named = posix.normalize(posix.join(posix.dirname(file), path)).replace(/\/$/, '');
        if (!existsSync(join(root, named))) throw new Error(`${file} links to ${path}, which is not there`);
        const linked = pageOf(named);
        if (linked === undefined) return label;
        return `[${label}](${relativeLink(page, linked)}${anchor === undefined ? '' : `#${anchor}`})`;
      });
    })
    .join('\n');
}

/**
 * @param {string} from
 * @param {string} to
 */
function relativeLink(from, to) {
  const link = posix.relative(posix.dirname(from), to);
  return link.startsWith('.') ? link : `./${link}`;
}

/**
 * @param {string} page
 * @param {string} text
 */
function write(page, text) {
  const path = join(target, page);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** @param {string} folder */
function markdownUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** The list of decisions. */
function adrIndex() {
  const names = readdirSync(join(root, 'docs/adr')).filter(
    (name) => /^\d{4}/.test(name) && !name.startsWith('0000'),
  );
  const items = names.sort().map((name) => {
    const title = /^# (.*)$/m.exec(readFileSync(join(root, 'docs/adr', name), 'utf8'))?.[1] ?? name;
    return `- [${title}](./${name})`;
  });
  return `# Decisions\n\nWhy Neve is as it is: one page for each decision that others depend on.\n\n${items.join('\n')}\n`;
}

rmSync(target, { recursive: true, force: true });
const files = ['ARCHITECTURE.md', 'CONTRIBUTING.md', ...markdownUnder('docs')];
// The README of the folder is for those who read it as files.
for (const file of files) if (file !== 'docs/README.md') copyPage(file);
write('adr/index.md', adrIndex());
for (const [page, text] of await builtinPages(root)) write(page, text);
for (const [page, text] of await commandPages(root)) write(page, text);
cpSync(join(root, 'apps/docs/public'), join(target, 'public'), { recursive: true });
