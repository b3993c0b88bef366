// The reference of builtins, from the table that the evaluator is tested against: an index, and one page a subject.

import { join } from 'node:path';
import { bundleModule } from '../../../tests/lib/bundle-module.mjs';

/** @typedef {import('../../../packages/eval/src/builtin-docs/builtin-doc.ts').BuiltinDoc} BuiltinDoc */
/** @typedef {import('../../../packages/eval/src/builtin-docs/builtin-doc.ts').BuiltinExample} BuiltinExample */

/**
 * Pages by their paths.
 *
 * @param {string} root of the repository
 * @returns {Promise<[string, string][]>}
 */
export async function builtinPages(root) {
  const url = await bundleModule(join(root, 'packages/eval/src/builtin-docs/index.ts'));
  /** @type {{ builtinDocs: readonly BuiltinDoc[], builtinSubjects: Record<string, string> }} */
  const { builtinDocs, builtinSubjects } = await import(url);
  const subjects = Object.entries(builtinSubjects).map(([id, title]) => ({
    id,
    title,
    docs: builtinDocs.filter(({ subject }) => subject === id).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  return [
    ['reference/builtins/index.md', indexPage(subjects, builtinDocs.length)],
    ...subjects.map(
      ({ id, title, docs }) =>
        /** @type {[string, string]} */ ([
          `reference/builtins/${id}.md`,
          `# ${title}\n\n${docs.map(section).join('\n')}`,
        ]),
    ),
  ];
}

/**
 * @param {readonly { id: string, title: string, docs: readonly BuiltinDoc[] }[]} subjects
 * @param {number} count
 */
function indexPage(subjects, count) {
  const tables = subjects.map(({ id, title, docs }) => {
    const rows = docs.map(
      ({ name, summary }) => `| [\`${name}\`](./${id}.md#${anchorOf(name)}) | ${cell(summary)} |`,
    );
    return `## [${title}](./${id}.md)\n\n| | |\n|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Builtins

All ${count} builtins of the evaluator. This reference is made from a table which is tested to name exactly what the evaluator
has, and every example is run with Neve and with Nix 2.34.8. Examples can be edited and run in the page; those that need a
store or something to fetch from have no button.

Most are reached through the set \`builtins\`; those that are also global have their short name in the heading.

${tables.join('\n')}`;
}

/** @param {BuiltinDoc} doc */
function section(doc) {
  const { name, isGlobal, parameters, summary, details, since, experimentalFeature, unsupported, examples } =
    doc;
  const call = [isGlobal ? name : `builtins.${name}`, ...parameters].join(' ');
  const notes = [
    ...(since === undefined ? [] : [`since Nix ${since}`]),
    ...(experimentalFeature === undefined ? [] : [`experimental feature \`${experimentalFeature}\``]),
  ];
  return `## ${isGlobal ? name : `builtins.${name}`} {#${anchorOf(name)}}

\`${call}\`${notes.length === 0 ? '' : ` — ${notes.join(', ')}`}

${plain(summary)}
${details === undefined ? '' : `\n${plain(details)}\n`}${unsupported === undefined ? '' : `\n::: warning Not in Neve yet\n${unsupported}\n:::\n`}
${examples.map((example) => exampleBlock(doc, example)).join('\n')}`;
}

/**
 * @param {BuiltinDoc} doc
 * @param {BuiltinExample} example
 */
function exampleBlock(
  { experimentalFeature, unsupported },
  { expression, value, error, files = {}, needs, isRepository },
) {
  const runs = needs !== 'machine' && unsupported === undefined;
  const shown = Object.entries(files).flatMap(([name, text]) =>
    typeof text === 'string' && text !== '' ? [fence(`text file=${name}`, text.trimEnd())] : [],
  );
  const info = runs
    ? `nix eval${experimentalFeature === undefined ? '' : ` features=${experimentalFeature}`}`
    : 'nix';
  const result =
    error === undefined ? fence(runs ? 'nix value' : 'nix', value ?? '') : fence('text error', error);
  const remark = isRepository === true ? 'In a Git repository with this file:\n\n' : '';
  return `${remark}${[...shown, fence(info, expression), result].join('\n')}`;
}

/**
 * @param {string} info
 * @param {string} text
 */
function fence(info, text) {
  return `\`\`\`${info}\n${text}\n\`\`\`\n`;
}

/** @param {string} name */
export function anchorOf(name) {
  return name.replace("'", '-prime');
}

/** Text outside of code in which the renderer would see an element or an expression. @param {string} text */
function plain(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;'),
    )
    .join('');
}

/** @param {string} text */
function cell(text) {
  return plain(text).replaceAll('|', '\\|');
}
