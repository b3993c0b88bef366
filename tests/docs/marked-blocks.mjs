// The fenced blocks of a page that can be run, and what should come of them. `apps/docs/src/site/example-fences.ts` says what
// info strings mean; a block of commands or Nix that says neither how to run it nor why not is a mistake.

/** @typedef {{ kind: 'nix', line: number, text: string, features: string, files: Record<string, string>, value?: string, error?: string }} NixBlock */
/** @typedef {{ kind: 'sh' | 'js', line: number, text: string, output?: string }} ProgramBlock */
/** @typedef {{ kind: 'console', line: number, commands: string[], output: string }} ConsoleBlock */
/** @typedef {{ kind: 'file', line: number, name: string, text: string }} FileBlock */
/** @typedef {{ kind: 'unmarked', line: number, info: string }} UnmarkedBlock */
/** @typedef {{ kind: 'skipped', line: number, reason: string }} SkippedBlock */
/** @typedef {NixBlock | ProgramBlock | ConsoleBlock | FileBlock | UnmarkedBlock | SkippedBlock} Block */

/** @typedef {{ info: string, text: string, line: number, section: number }} Fence */

/**
 * @param {string} markdown
 * @returns {Block[]}
 */
export function blocksOf(markdown) {
  const fences = fencesOf(markdown);
  return fences.flatMap((fence, index) => {
    const block = blockOf(fence, fences[index + 1]);
    if (block?.kind === 'nix') block.files = filesBefore(fences, index);
    return block === undefined ? [] : [block];
  });
}

/**
 * @param {Fence} fence
 * @param {Fence | undefined} next
 * @returns {Block | undefined}
 */
function blockOf({ info, text, line }, next) {
  const [language = '', ...words] = info.split(/\s+/);
  const name = words.find((word) => word.startsWith('file='))?.slice('file='.length);
  if (name !== undefined) return { kind: 'file', line, name, text };
  if (!['nix', 'sh', 'console', 'js', 'ts'].includes(language) || words[0] === 'value') return undefined;
  const reason = words.find((word) => word.startsWith('skip='))?.slice('skip='.length);
  if (reason !== undefined) return { kind: 'skipped', line, reason };
  if (language === 'nix' && words[0] === 'eval') {
    const features = words.find((word) => word.startsWith('features='))?.slice('features='.length) ?? '';
    /** @type {NixBlock} */
    const block = { kind: 'nix', line, text, features: features.replaceAll(',', ' '), files: {} };
    if (next?.info === 'nix value') block.value = next.text.trimEnd();
    if (next?.info === 'text error') block.error = next.text.trimEnd();
    return block;
  }
  if ((language === 'sh' || language === 'js') && words[0] === 'run') {
    return { kind: language, line, text, ...(next?.info === 'text output' ? { output: next.text } : {}) };
  }
  if (language === 'console' && words[0] === 'run') return { kind: 'console', line, ...session(text) };
  return { kind: 'unmarked', line, info };
}

/** Lines with a prompt, and those without. @param {string} text */
function session(text) {
  const lines = text.split('\n');
  return {
    commands: lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2)),
    output: lines.filter((line) => !line.startsWith('$ ')).join('\n'),
  };
}

/** The files shown since the last heading. @param {readonly Fence[]} fences @param {number} index */
function filesBefore(fences, index) {
  /** @type {Record<string, string>} */
  const files = {};
  for (const { info, text, section } of fences.slice(0, index)) {
    const name = /\bfile=(\S+)/.exec(info)?.[1];
    if (name !== undefined && section === fences[index]?.section) files[name] = text;
  }
  return files;
}

/**
 * @param {string} markdown
 * @returns {Fence[]}
 */
function fencesOf(markdown) {
  /** @type {Fence[]} */
  const fences = [];
  /** @type {Fence | undefined} */
  let open;
  let section = 0;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open === undefined) {
      if (/^#+ /.test(line)) section++;
      const info = /^```(.*)$/.exec(line)?.[1];
      if (info !== undefined) open = { info: info.trim(), text: '', line: index + 1, section };
    } else if (line === '```') {
      fences.push(open);
      open = undefined;
    } else open.text += `${line}\n`;
  }
  return fences;
}
