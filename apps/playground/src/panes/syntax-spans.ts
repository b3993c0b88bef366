/**
 * Which piece of the text each node of the core's tree is. The core knows where a node begins, or where its operator is,
 * and of literals nothing; the editor's tree knows pieces and not how Nix reads them. Both are walked side by side: what
 * Nix rewrites (operators as calls, nested attribute paths as sets) is matched by what it is made of.
 */
import type { SyntaxNode as EditorNode, Tree } from '@lezer/common';
import type { SyntaxNode } from '@neve/eval';
import type { Span } from '../editor.ts';
import { lengthOfBytes } from '../problems.ts';

export function spansOf(root: SyntaxNode, tree: Tree, text: string): Map<SyntaxNode, Span> {
  const spans = new Map<SyntaxNode, Span>();
  const offset = offsets(text);
  const start = tree.topNode.firstChild;
  if (start !== null) visit(root, expressionAtOrIn(tree.topNode) ?? start);
  return spans;

  function visit(node: SyntaxNode, piece: EditorNode): void {
    const inner = withoutParens(piece);
    spans.set(node, { from: piece.from, to: piece.to });
    const children = node.children.filter((child) => !isInvented(child));
    const pieces = operandsOf(inner);
    for (const [index, child] of children.entries()) {
      const own = child.offset === undefined ? undefined : offset(child.offset);
      visit(
        child,
        pieceFor(child, { own, inner, candidate: pieces[index], isEven: pieces.length === children.length }),
      );
    }
  }

  function pieceFor(
    child: SyntaxNode,
    {
      own,
      inner,
      candidate,
      isEven,
    }: { own: number | undefined; inner: EditorNode; candidate: EditorNode | undefined; isEven: boolean },
  ): EditorNode {
    if (own !== undefined && isBindingLike(child)) return bindingAt(tree, own, inner) ?? inner;
    const fits =
      candidate !== undefined && (own === undefined || (candidate.from <= own && own <= candidate.to));
    // `a.b = 1` has a set in between which nobody has written.
    if (
      inner.name === 'Binding' &&
      child.kind === 'Attrs' &&
      own === undefined &&
      candidate?.name !== 'AttrSet'
    )
      return inner;
    if (isEven && fits) return candidate;
    if (own !== undefined) return largestAt(tree, own, inner);
    const last = operandsOf(inner).at(-1);
    return operandsOf(inner).length === 1 && last !== undefined ? last : inner;
  }
}

const bindingNames: ReadonlySet<string> = new Set(['Binding', 'Inherit', 'Formal']);

function isBindingLike({ kind }: SyntaxNode): boolean {
  return (
    kind === 'Binding' ||
    kind === 'Inherit' ||
    kind === 'InheritFrom' ||
    kind === 'DynamicBinding' ||
    kind === 'Formal'
  );
}

/** What the parser adds and nobody has written. */
function isInvented({ kind, label, offset }: SyntaxNode): boolean {
  if (offset !== undefined) return false;
  return kind === 'Variable' || (kind === 'Integer' && label === '0');
}

/** The expressions right inside of a piece, those of a chain of calls in one row. */
function operandsOf(piece: EditorNode): EditorNode[] {
  const inside = piece.getChildren('Expression');
  const bindings = piece.getChild('Bindings');
  if (bindings !== null) return [bindings, ...inside];
  if (piece.name !== 'Call') return inside;
  const [callee, ...rest] = inside;
  if (callee === undefined) return inside;
  return callee.name === 'Call' ? [...operandsOf(callee), ...rest] : [callee, ...rest];
}

function withoutParens(piece: EditorNode): EditorNode {
  let node = piece;
  while (node.name === 'Parens') {
    const inside = node.getChild('Expression');
    if (inside === null) return node;
    node = inside;
  }
  return node;
}

function expressionAtOrIn(node: EditorNode): EditorNode | undefined {
  return node.getChildren('Expression')[0];
}

function bindingAt(tree: Tree, at: number, within: EditorNode): EditorNode | undefined {
  for (
    let node: EditorNode | null = tree.resolveInner(at, 1);
    node !== null && node.from >= within.from;
    node = node.parent
  ) {
    if (bindingNames.has(node.name)) return node;
  }
  return undefined;
}

/** The largest expression inside of a piece that begins at a place; where none does, the smallest around it. */
function largestAt(tree: Tree, at: number, within: EditorNode): EditorNode {
  let found: EditorNode | undefined;
  for (let node: EditorNode | null = tree.resolveInner(at, 1); node !== null; node = node.parent) {
    const isSmaller = node.to - node.from < within.to - within.from;
    if (node.from < within.from || node.to > within.to || !isSmaller) break;
    if (node.type.is('Expression') && (node.from === at || found === undefined)) found = node;
  }
  return found ?? within;
}

/** From bytes to UTF-16 units. */
function offsets(text: string): (bytes: number) => number {
  // oxlint-disable-next-line no-control-regex
  if (/^[\0-\x7f]*$/.test(text)) return (bytes) => bytes;
  return (bytes) => lengthOfBytes(text, bytes);
}
