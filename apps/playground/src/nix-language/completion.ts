/**
 * What can be written at a place: names in scope, keywords, global functions, `builtins.…`, and the attributes of a set
 * that is written down under a name in scope.
 */
import type {
  Completion,
  CompletionContext,
  CompletionResult,
  CompletionSource,
} from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { SyntaxNode } from '@lezer/common';
import { element, prose } from '../dom.ts';
import { attributesOf, bindingsAt } from './scopes.ts';

/** What is told about a builtin. */
export type BuiltinHelp = {
  readonly name: string;
  /** Whether it can be written without `builtins.`. */
  readonly isGlobal: boolean;
  readonly isFunction: boolean;
  /** The names of its arguments, where they are known. */
  readonly arguments: readonly string[];
  /** Prose, where there is any. */
  readonly documentation: string | undefined;
  readonly example: { readonly expression: string; readonly value?: string | undefined } | undefined;
};

const keywords: readonly Completion[] = [
  'assert',
  'else',
  'if',
  'in',
  'inherit',
  'let',
  'or',
  'rec',
  'then',
  'with',
].map((label) => ({ label, type: 'keyword', boost: -1 }));

const constants: readonly Completion[] = ['true', 'false', 'null'].map((label) => ({
  label,
  type: 'constant',
}));

const wordBefore = /[a-zA-Z_][a-zA-Z0-9_'-]*$/;

/** The builtins come later than the editor: they are asked for each time. */
export function nixCompletions(builtins: () => readonly BuiltinHelp[]): CompletionSource {
  return (context) => {
    const word = context.matchBefore(wordBefore);
    const from = word?.from ?? context.pos;
    const before = context.state.sliceDoc(Math.max(0, from - 1), from);
    const place = syntaxTree(context.state).resolveInner(context.pos, -1);
    if (isText(place)) return null;
    if (before === '.') return attributes(context, from, builtins());
    if (word === null && !context.explicit) return null;
    return { from, options: names(context, builtins()), validFor: /^[a-zA-Z0-9_'-]*$/ };
  };
}

function names(context: CompletionContext, builtins: readonly BuiltinHelp[]): Completion[] {
  const text = context.state.doc.toString();
  const visible = bindingsAt(syntaxTree(context.state), text, context.pos);
  const inScope = visible.map(({ name, kind }) => ({
    label: name,
    type: kind === 'argument' ? 'variable' : kind === 'let' ? 'variable' : 'property',
    detail: kind === 'argument' ? 'argument' : kind === 'let' ? 'let' : 'rec',
    boost: 2,
  }));
  const known = new Set(visible.map(({ name }) => name));
  const globals = builtins
    .filter(({ name, isGlobal }) => isGlobal && !known.has(name))
    .map(builtinCompletion);
  return [...inScope, ...globals, { label: 'builtins', type: 'namespace' }, ...constants, ...keywords];
}

function attributes(
  context: CompletionContext,
  from: number,
  builtins: readonly BuiltinHelp[],
): CompletionResult | null {
  const text = context.state.doc.toString();
  const subject = /([a-zA-Z_][a-zA-Z0-9_'-]*)\.$/.exec(text.slice(Math.max(0, from - 100), from))?.[1];
  if (subject === undefined) return null;
  if (subject === 'builtins')
    return { from, options: builtins.map(builtinCompletion), validFor: /^[a-zA-Z0-9_'-]*$/ };
  const bound = bindingsAt(syntaxTree(context.state), text, from - 1).find(({ name }) => name === subject);
  if (bound?.value === undefined) return null;
  const options = attributesOf(bound.value, text).map(({ name }) => ({ label: name, type: 'property' }));
  return options.length === 0 ? null : { from, options, validFor: /^[a-zA-Z0-9_'-]*$/ };
}

function builtinCompletion(help: BuiltinHelp): Completion {
  return {
    label: help.name,
    type: help.isFunction ? 'function' : 'constant',
    detail: help.arguments.join(' '),
    ...(help.documentation === undefined ? {} : { info: () => helpNode(help) }),
  };
}

/** What is known about a builtin; the prose has `code` in backquotes. */
function helpNode({ name, arguments: parameters, documentation = '', example }: BuiltinHelp): HTMLElement {
  const title = element('code', { class: 'builtin-title' }, ['builtins.' + name, ...parameters].join(' '));
  const paragraphs = documentation
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => element('p', {}, ...prose(paragraph)));
  const node = element('div', { class: 'builtin-help' }, title, ...paragraphs);
  if (example !== undefined)
    node.append(element('pre', {}, `${example.expression}\n⇒ ${example.value ?? ''}`));
  return node;
}

/** Where nothing of the language can be written. */
function isText(node: SyntaxNode): boolean {
  return /^(String|IndentedString|Escape|LineComment|BlockComment|Path|SearchPath|Uri|Integer|Float)$/.test(
    node.name,
  );
}
