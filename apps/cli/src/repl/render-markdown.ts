/**
 * Markdown for a terminal: what documentation is written in, and no more. Paragraphs are wrapped, headings and code stand out,
 * items have dots, links are their texts.
 */
import { textWidth } from '../progress/screen-text.ts';

export type MarkdownOptions = { readonly colour: boolean; readonly columns: number };

type Block =
  | { readonly kind: 'heading' | 'paragraph'; readonly text: string }
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  | { readonly kind: 'item'; readonly mark: string; readonly depth: number; readonly text: string };

/** Lines with empty lines between blocks. */
export function renderMarkdown(markdown: string, options: MarkdownOptions): string {
  const rendered: string[] = [];
  let last: Block | undefined;
  for (const block of blocksOf(markdown)) {
    if (last !== undefined && !(last.kind === 'item' && block.kind === 'item')) rendered.push('');
    rendered.push(...renderBlock(block, options));
    last = block;
  }
  return rendered.join('\n');
}

/** A line that ends with a backslash is one of its own. */
function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const fence = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (fence !== undefined) {
      const end = lines.findIndex((it, at) => at > index && it.trim() === fence);
      const last = end === -1 ? lines.length : end;
      blocks.push({ kind: 'code', lines: lines.slice(index + 1, last) });
      index = last;
      continue;
    }
    if (/^ {4}/.test(line) && beginsBlock(blocks)) {
      const next = lines.findIndex((it, at) => at > index && it.trim() !== '' && !it.startsWith('    '));
      const code = lines.slice(index, next === -1 ? lines.length : next);
      blocks.push({
        kind: 'code',
        lines: code
          .join('\n')
          .trimEnd()
          .split('\n')
          .map((it) => it.slice(4)),
      });
      index += code.length - 1;
      continue;
    }
    const heading = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    const [, space = '', mark, itemText = ''] = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/.exec(line) ?? [];
    // Divisions of Pandoc, such as notes, mark nothing here.
    if (line.trim() === '' || /^\s*:::/.test(line)) blocks.push({ kind: 'paragraph', text: '' });
    else if (heading !== undefined) blocks.push({ kind: 'heading', text: heading });
    else if (mark !== undefined) {
      const depth = Math.floor(space.length / 2);
      blocks.push({ kind: 'item', mark: /\d/.test(mark) ? mark : '·', depth, text: itemText });
    } else addLine(blocks, line);
  }
  return blocks.filter((block) => !isBlank(block));
}

/** Whether what follows is a block of its own, and not in an item. */
function beginsBlock(blocks: readonly Block[]): boolean {
  const [last, before] = [blocks.at(-1), blocks.at(-2)];
  return (last === undefined || isBlank(last)) && before?.kind !== 'item';
}

function isBlank(block: Block): boolean {
  return block.kind === 'paragraph' && block.text === '';
}

/** A line that goes on with what is before it, or begins a paragraph. */
function addLine(blocks: Block[], line: string): void {
  const last = blocks.at(-1);
  const goesOn =
    last !== undefined && (last.kind === 'item' || last.kind === 'paragraph') && last.text !== '';
  if (!goesOn) blocks.push({ kind: 'paragraph', text: line.trim() });
  else blocks[blocks.length - 1] = { ...last, text: `${last.text}\n${line.trim()}` };
}

function renderBlock(block: Block, options: MarkdownOptions): readonly string[] {
  switch (block.kind) {
    case 'heading':
      return [styled(inline(block.text, options), bold, options)];
    case 'code':
      return block.lines.map((line) => `  │ ${line}`);
    case 'item': {
      const indent = '  '.repeat(block.depth + 1);
      const first = `${indent}${block.mark} `;
      const lines = wrapped(block.text, options.columns - first.length).map((line) => inline(line, options));
      return lines.map((line, index) => (index === 0 ? first : ' '.repeat(first.length)) + line);
    }
    case 'paragraph':
      return block.text
        .split(/\\\n/)
        .flatMap((text) => wrapped(text, options.columns))
        .map((line) => inline(line, options));
  }
}

/** Widths are those before marks are taken away: lines may be a little shorter than they could be. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((it) => it !== '')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

const bold = 1;
const italic = 3;

function inline(text: string, options: MarkdownOptions): string {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[([^\]]*)\]\[[^\]]*\]/g, '$1')
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith('`') && part.length > 2
        ? styled(part.slice(1, -1), bold, options)
        : part
            .replace(/\*\*([^*]+)\*\*/g, (_, inner: string) => styled(inner, bold, options))
            .replace(/(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])/g, (_, inner: string) =>
              styled(inner, italic, options),
            ),
    )
    .join('');
}

// oxlint-disable-next-line eslint/max-params -- a text, and how
function styled(text: string, code: number, { colour }: MarkdownOptions): string {
  return colour ? `\x1b[${code}m${text}\x1b[0m` : text;
}
