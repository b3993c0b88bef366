/**
 * Reads what the core writes about a source: the lines of `packages/language/assembly/syntax/outline.ts`, an empty line,
 * and those of `compile/listing.ts`.
 */
import type { CodeBlock, Instruction, ProgramOutline, SyntaxNode } from './evaluator.ts';

export function readOutline(text: string): ProgramOutline {
  const end = text.indexOf('\n\n');
  return { tree: readTree(text.slice(0, end).split('\n')), code: readCode(text.slice(end + 2)) };
}

type GrowingNode = SyntaxNode & { readonly children: SyntaxNode[] };

/** Every line is one node; those before it which are less deep are its ancestors. */
function readTree(lines: readonly string[]): SyntaxNode {
  const ancestors: GrowingNode[] = [];
  for (const line of lines) {
    const [depth = '', kind = '', offset = '', role = '', label = ''] = line.split('\t');
    const node: GrowingNode = { kind, offset: readOffset(offset), role, label, children: [] };
    ancestors.length = Number(depth);
    ancestors.at(-1)?.children.push(node);
    ancestors.push(node);
  }
  const [root] = ancestors;
  if (root === undefined) throw new Error('the language core has written no tree');
  return root;
}

type GrowingBlock = CodeBlock & { readonly instructions: Instruction[] };

function readCode(text: string): readonly CodeBlock[] {
  const blocks: GrowingBlock[] = [];
  for (const line of text.split('\n')) {
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = line.split('\t');
    if (first === 'block') {
      // The core writes these three words only.
      const kind = third as CodeBlock['kind'];
      blocks.push({ kind, offset: readOffset(fourth), name: fifth, instructions: [] });
    } else if (line !== '') {
      blocks.at(-1)?.instructions.push({ offset: readOffset(first), name: second, operands: third });
    }
  }
  return blocks;
}

function readOffset(text: string): number | undefined {
  const offset = Number(text);
  return offset < 0 ? undefined : offset;
}
