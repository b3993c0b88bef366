/**
 * Which name means what: found in the editor's tree, so that it is known while the program is being written and cannot
 * be parsed. `with` brings names that nobody knows without evaluating; a name that no scope defines may be one of those.
 */
import type { SyntaxNode, Tree } from '@lezer/common';

export type BindingKind = 'let' | 'argument' | 'attribute';

export type Binding = {
  readonly name: string;
  readonly kind: BindingKind;
  /** Where the name is written. */
  readonly from: number;
  readonly to: number;
  /** The expression that it is bound to, if there is one. */
  readonly value: SyntaxNode | undefined;
};

/** What is defined together. A recursive set is a scope too; who uses its attributes is not known. */
type Scope = { readonly bindings: ReadonlyMap<string, Binding> };

const expressionScopes: ReadonlySet<string> = new Set(['Let', 'LetBody', 'Lambda', 'AttrSet']);

/** The bindings that are visible at a place, the innermost first; a name that is hidden by another is left out. */
export function bindingsAt(tree: Tree, text: string, position: number): Binding[] {
  const found = new Map<string, Binding>();
  let inner: SyntaxNode | undefined;
  for (let node: SyntaxNode | null = tree.resolveInner(position, -1); node !== null; node = node.parent) {
    if (expressionScopes.has(node.name) && !isOutsideOf(inner)) {
      for (const binding of scopeOf(node, text)?.bindings.values() ?? []) {
        if (!found.has(binding.name)) found.set(binding.name, binding);
      }
    }
    inner = node;
  }
  return [...found.values()];
}

/** The names of a set that is written down: `{ … }` or `rec { … }`, also in parentheses. */
export function attributesOf(value: SyntaxNode, text: string): Binding[] {
  let node = value;
  while (node.name === 'Parens') {
    const inside = expressionIn(node);
    if (inside === undefined) return [];
    node = inside;
  }
  return node.name === 'AttrSet' ? [...definitions(node, text, 'attribute').values()] : [];
}

/** Bindings of `let` and arguments that nothing refers to. Names that begin with `_` are meant to be unused. */
export function unusedBindings(tree: Tree, text: string): Binding[] {
  const used = new Set<Binding>();
  const all: Binding[] = [];

  function visit(node: SyntaxNode, scopes: readonly Scope[]): void {
    const scope = expressionScopes.has(node.name) ? scopeOf(node, text) : undefined;
    const inside = scope === undefined ? scopes : [scope, ...scopes];
    if (scope !== undefined && node.name !== 'AttrSet') all.push(...scope.bindings.values());
    if (node.name === 'Variable') use(nameIn(node, text), scopes);
    if (node.name === 'Inherit') {
      // `inherit x` means the x around the set or the `let`.
      const isPlain = node.getChild('InheritFrom') === null;
      const around = isRecursiveOrLet(node) ? scopes.slice(1) : scopes;
      if (isPlain) for (const name of node.getChildren('AttrName')) use(nameIn(name, text), around);
    }
    for (let child = node.firstChild; child !== null; child = child.nextSibling) visit(child, inside);
  }

  function use(name: string, scopes: readonly Scope[]): void {
    for (const { bindings } of scopes) {
      const binding = bindings.get(name);
      if (binding === undefined) continue;
      used.add(binding);
      return;
    }
  }

  visit(tree.topNode, []);
  return all.filter((binding) => !used.has(binding) && !binding.name.startsWith('_'));
}

/** What an expression defines for what is inside of it; a set that is not recursive defines nothing. */
function scopeOf(node: SyntaxNode, text: string): Scope | undefined {
  switch (node.name) {
    case 'Let': {
      const bindings = node.getChild('Bindings');
      return { bindings: bindings === null ? new Map() : definitions(bindings, text, 'let') };
    }
    case 'LetBody':
      // Its attribute `body` is the value.
      return { bindings: withoutBody(definitions(node, text, 'let')) };
    case 'AttrSet':
      return node.getChild('rec') === null ? undefined : { bindings: definitions(node, text, 'attribute') };
    default:
      return { bindings: parameters(node, text) };
  }
}

function withoutBody(bindings: Map<string, Binding>): Map<string, Binding> {
  bindings.delete('body');
  return bindings;
}

function definitions(node: SyntaxNode, text: string, kind: BindingKind): Map<string, Binding> {
  const found = new Map<string, Binding>();
  for (const binding of node.getChildren('Binding')) {
    const path = binding.getChild('AttrPath');
    const first = path?.firstChild ?? null;
    if (first?.name !== 'AttrName') continue;
    const isWhole = first.to === path?.to;
    add(found, first, { text, kind, value: isWhole ? expressionIn(binding) : undefined });
  }
  for (const inherit of node.getChildren('Inherit')) {
    for (const name of inherit.getChildren('AttrName')) add(found, name, { text, kind, value: undefined });
  }
  return found;
}

function parameters(lambda: SyntaxNode, text: string): Map<string, Binding> {
  const found = new Map<string, Binding>();
  const formals = lambda.getChild('Formals')?.getChildren('Formal') ?? [];
  const named = formals.flatMap((formal) => formal.getChildren('Parameter'));
  for (const name of [...lambda.getChildren('Parameter'), ...named]) {
    add(found, name, { text, kind: 'argument', value: undefined });
  }
  return found;
}

function add(
  found: Map<string, Binding>,
  node: SyntaxNode,
  { text, kind, value }: { text: string; kind: BindingKind; value: SyntaxNode | undefined },
): void {
  const name = nameIn(node, text);
  if (!found.has(name)) found.set(name, { name, kind, from: node.from, to: node.to, value });
}

function nameIn(node: SyntaxNode, text: string): string {
  return text.slice(node.from, node.to);
}

/** The expression after the `=` of a binding, or between parentheses. */
function expressionIn(node: SyntaxNode): SyntaxNode | undefined {
  return node.getChildren('Expression').at(-1);
}

/** A plain `inherit` and the names of an attribute path are outside of the scope that they belong to. */
function isOutsideOf(node: SyntaxNode | undefined): boolean {
  return node?.name === 'Inherit' && node.getChild('InheritFrom') === null;
}

function isRecursiveOrLet(inherit: SyntaxNode): boolean {
  const { parent } = inherit;
  if (parent === null) return false;
  return parent.name === 'Bindings' || parent.name === 'LetBody' || parent.getChild('rec') !== null;
}
