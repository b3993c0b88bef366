// The editor's trees of what other grammars misread; what each means follows from Nix's own grammar.
import { expect, test } from 'vitest';
import { parser } from './parser.ts';

/** The tree, operators without their signs. */
function shape(text: string): string {
  // What a tree is as a string is documented, and the names of its nodes.
  // oxlint-disable-next-line typescript/no-base-to-string
  return String(parser.parse(text)).replaceAll(/Operator\("[^"]*"\)/g, 'Operator');
}

test.each([
  [
    "''a ''${b} ''' $${c} ''\\n ${d}''",
    /^Source\(IndentedString\("''",Escape,Escape,Escape,Interpolation\(.*\),"''"\)\)$/,
  ],
  [
    '"$${a} \\${b} ${c}"',
    /^Source\(String\("\\"",Escape,Interpolation\(.*Variable\(Identifier\),"}"\),"\\""\)\)$/,
  ],
  ['"${"${"a"}"}"', /^Source\(String\(.*String\(.*String\(/],
  ['./a/${b}/c.nix', /^Source\(InterpolatedPath\(Interpolation/],
  ['./${a}', /^Source\(InterpolatedPath/],
  ['a/b', /^Source\(Path\)$/],
  ['a / b', /^Source\(Binary/],
  ['a //b', /^Source\(Binary/],
  ['~/a', /^Source\(HomePath\)$/],
  ['<nixpkgs/lib>', /^Source\(SearchPath\)$/],
  ['a <b> c', /^Source\(Call\(Variable\(Identifier\),SearchPath,Variable\(Identifier\)|^Source\(Call\(Call/],
  ['a<b', /^Source\(Binary/],
  ['http://a.org/b?c=d', /^Source\(Uri\)$/],
  ['x:y', /^Source\(Uri\)$/],
  ['x: y', /^Source\(Lambda/],
  ['{ a, b ? 1, ... }@c: a', /^Source\(Lambda\(Formals\(.*Ellipsis,"}"\),"@",Parameter/],
  ['{ a, b, }: a', /^Source\(Lambda\(Formals\(.*",","}"\)/],
  ['{ }: 1', /^Source\(Lambda\(Formals/],
  ['{ }', /^Source\(AttrSet/],
  ['{ or = 1; a.or = 2; }.or or 3', /^Source\(Select\(AttrSet\(.*or,Integer\)\)$/],
  ['f or', /^Source\(Call\(Variable\(Identifier\),Variable\(or\)\)\)$/],
  ['a |> b |> c', /^Source\(Binary\(Binary/],
  ['a <| b <| c', /^Source\(Binary\(Variable\(Identifier\),Operator,Binary/],
  ['-a * b', /^Source\(Binary\(Unary/],
  ['!a ? b', /^Source\(Unary\(Operator,HasAttr/],
  ['a ++ b ++ c', /^Source\(Binary\(Variable\(Identifier\),Operator,Binary/],
  ['[ a.b c or d (f x) ]', /^Source\(List\("\[",Select\(.*Call\(.*Parens\(.*"\]"\)\)$/],
  ['let { a = 1; body = a; }', /^Source\(LetBody/],
  ['{ inherit (a) b "c" ${"d"}; }', /^Source\(AttrSet\("{",Inherit\(inherit,InheritFrom/],
  ['1.5e3', /^Source\(Float\)$/],
  ['# a\n/* b */ 1', /^Source\(LineComment,BlockComment,Integer\)$/],
])('%s', (text, expected) => {
  expect(shape(text)).toMatch(expected);
  expect(shape(text)).not.toContain('⚠');
});

test('what is not finished is an error in its place, and the rest is read', () => {
  const tree = shape('{ a = 1; b = ; c = 3; }');
  expect(tree).toContain('⚠');
  expect(tree.match(/Binding/g)).toHaveLength(3);
});
