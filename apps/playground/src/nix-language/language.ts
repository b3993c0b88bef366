/** Nix for CodeMirror: the grammar with highlighting, indentation, folding, and what comments and brackets are. */
import {
  LRLanguage,
  LanguageSupport,
  continuedIndent,
  delimitedIndent,
  foldInside,
  foldNodeProp,
  indentNodeProp,
} from '@codemirror/language';
import { parser } from './parser.ts';

export const nixLanguage: LRLanguage = LRLanguage.define({
  name: 'nix',
  parser: parser.configure({
    props: [
      indentNodeProp.add({
        'AttrSet LetBody Formals': delimitedIndent({ closing: '}', align: false }),
        List: delimitedIndent({ closing: ']', align: false }),
        Parens: delimitedIndent({ closing: ')', align: false }),
        Let: continuedIndent({ except: /^\s*in\b/ }),
        If: continuedIndent({ except: /^\s*(then|else)\b/ }),
        'Binding Inherit Call': continuedIndent(),
        // What a string holds is the author's.
        'IndentedString String': () => null,
      }),
      foldNodeProp.add({
        'AttrSet LetBody Formals List Parens IndentedString BlockComment': foldInside,
        Bindings: (node) => (node.from < node.to ? { from: node.from, to: node.to } : null),
      }),
    ],
  }),
  languageData: {
    commentTokens: { line: '#', block: { open: '/*', close: '*/' } },
    closeBrackets: { brackets: ['(', '[', '{', '"', "''"] },
    indentOnInput: /^\s*(\}|\]|\)|in|then|else)$/,
    wordChars: "-'_",
  },
});

export function nix(): LanguageSupport {
  return new LanguageSupport(nixLanguage);
}
