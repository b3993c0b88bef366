/** What the pieces of a Nix text are, in the words that themes of CodeMirror and Lezer know. */
import { type Highlighter, styleTags, tagHighlighter, tags } from '@lezer/highlight';

export const nixHighlighting: ReturnType<typeof styleTags> = styleTags({
  'let in with assert inherit rec': tags.keyword,
  'if then else or': tags.controlKeyword,
  'Variable/Identifier': tags.variableName,
  'Variable/Constant': tags.bool,
  'Variable/Global': tags.standard(tags.variableName),
  'Variable/or': tags.variableName,
  'Parameter/...': tags.definition(tags.variableName),
  'AttrName/...': tags.propertyName,
  'Binding/AttrPath/AttrName/...': tags.definition(tags.propertyName),
  'Inherit/AttrName/...': tags.propertyName,
  'Integer Float': tags.number,
  'String IndentedString': tags.string,
  '"\\"" "\'\'"': tags.string,
  Escape: tags.escape,
  '"${"': tags.special(tags.brace),
  'Interpolation/"}"': tags.special(tags.brace),
  'Path HomePath InterpolatedPath SearchPath': tags.special(tags.string),
  Uri: tags.url,
  'LineComment BlockComment': tags.comment,
  Operator: tags.operator,
  'Ellipsis "@" ":" "=" "?"': tags.definitionOperator,
  '"." "," ";"': tags.punctuation,
  '"(" ")"': tags.paren,
  '"[" "]"': tags.squareBracket,
  '"{" "}"': tags.brace,
});

/** Classes for them; the style sheet has their colours in both themes. */
export const nixClasses: Highlighter = tagHighlighter([
  { tag: [tags.keyword, tags.controlKeyword], class: 'nix-keyword' },
  { tag: tags.string, class: 'nix-string' },
  { tag: [tags.special(tags.string), tags.url], class: 'nix-path' },
  { tag: [tags.escape, tags.special(tags.brace)], class: 'nix-escape' },
  { tag: [tags.number, tags.bool], class: 'nix-number' },
  { tag: tags.comment, class: 'nix-comment' },
  { tag: tags.standard(tags.variableName), class: 'nix-global' },
  { tag: tags.definition(tags.variableName), class: 'nix-argument' },
  { tag: tags.definition(tags.propertyName), class: 'nix-definition' },
  { tag: [tags.operator, tags.definitionOperator, tags.punctuation], class: 'nix-operator' },
]);
