// What is typed into both prompts. Every line is one that Nix 2.34 answers without ending too early or crashing.

/**
 * @typedef {object} Script
 * @property {string} name
 * @property {readonly string[]} [words] arguments of the command
 * @property {boolean} [isText] answers are texts, whose lines end where there is room
 * @property {string} input
 */

/** Files in the folder where the prompts run. */
export const files = {
  'set.nix': '{ one = 1; two = { three = 3; }; "a b" = 4; add = x: y: x + y; }\n',
  'function.nix': '{ greeting ? "hello", name ? "world" }: { text = "${greeting} ${name}"; inherit name; }\n',
  'broken.nix': '{ a = ; }\n',
  'early-end.nix': '{ a = 1;\n',
  'number.nix': '5\n',
  'many.nix': 'builtins.listToAttrs (builtins.genList (n: { name = "n${toString n}"; value = n; }) 25)\n',
  'documented.nix': `{
  /**
    Adds two numbers.

        indented
  */
  add = x: y: x + y;
  /** A pattern. */
  pattern = { a, b ? 2 }: a;
  partial = (x: y: x) 1;
  plain = 1;
  functor = { __functor = self: /** Inner. */ x: x; };
}
`,
};

/** @type {readonly Script[]} */
export const scripts = [
  {
    name: 'values',
    input: `1 + 1
1.5
1e30
-3
true
null
"text with \\n and \\" and \\\${x} and \\t"
''
  indented
''
./.
/absolute/path
[ ]
{ }
[ 1 ]
[ 1 2 ]
[ [ ] ]
[ { a = 1; } ]
{ a = 1; }
{ a = [ ]; }
{ a = { b = { c = 1; }; }; d = [ [ 1 ] 2 ]; }
{ "a b" = 1; "1" = 2; if' = 3; "if" = 4; _x = 5; "x-y" = 6; "" = 7; or = 8; }
x: x
{ a, b ? 1, ... }@c: a
map
map (x: x)
builtins.add 1
{ f = x: x; g = map; h = builtins.add 1; }
let x = { inherit x; y = 1; }; in x
let l = [ 1 ]; in [ l l ]
let s = { a = 1; }; in [ s s ]
derivation { name = "d"; system = "s"; builder = "b"; }
[ (derivation { name = "d"; system = "s"; builder = "b"; }) 1 ]
{ type = "derivation"; }
{ a = { type = "derivation"; }; b = 1; }
builtins.toFile "name" "contents"
builtins.typeOf builtins
`,
  },
  {
    name: 'values in depth',
    input: `:p { a = { b = { c = [ 1 { d = 2; e = [ ]; } ]; }; }; f = x: x; }
:p "printed\\nas it is"
:print [ [ [ 1 ] ] ]
:p let x = { inherit x; y = [ x ]; }; in x
:p let s = { a = 1; }; in [ s s [ s ] ]
:p [ (throw "a") 1 ]
:p { a = throw "b"; c = 2; }
:p { a = derivation { name = "d"; system = "s"; builder = "b"; }; b = { }; }
:p 1
:p [ 1.5 null true ./. map ]
:p builtins.genList (x: x) 20
`,
  },
  {
    name: 'variables',
    input: `x = 1
x
x = x + 1
x
y = { a = 1; b = y2; }
y2 = 5
f = n: if n == 0 then x else 10 * x
f 0
f 1
x = 100
f 1
a = 1; b = 2
[ a b ]
c.d.e = 1; c.d.f = 2
c
inherit (builtins) length
length [ 1 2 ]
inherit (c) d;
d
inherit x
lazy = throw "never"
with { x = 7; z = 8; }; [ x z ]
map = 3
map
builtins.map (x: x + map) [ 1 ]
s = ''
  text
''
s
g = { a ? x }: a
g { }
q = let in 1
q
\${"dynamic"} = 3
dynamic
undefined
`,
  },
  {
    name: 'lines that go on',
    input: `1 +
2
let
  a = 1;
in
  a
{
  a = 1;

  b = 2;
}
"one
two"
(
[
]
)
:p {
  a = { b = 1; };
}
if true
then 1
else 2
`,
  },
  {
    name: 'errors',
    input: `throw "thrown"
abort "ended"
undefined
1 1
1 + "a"
{ }.a
assert false; 1
import ./broken.nix
import ./early-end.nix
import ./missing.nix
[ (throw "x") ]
{ a = throw "x"; }
{ a = throw "x"; b = 1; }
builtins.seq (throw "x") 1
let x = x; in x
let f = x: f x; in f 1
)
1 ]
a b c d
:zork
: 1
builtins.fromJSON "{"
1 + 1
`,
  },
  {
    name: 'messages',
    input: `builtins.trace "traced" 1
builtins.trace { a = 1; } 1
builtins.warn "warned" 1
[ (builtins.trace "inside" 1) 2 ]
`,
  },
  {
    name: 'types',
    input: `:t 1
:t 1.5
:t "a"
:t true
:t null
:t ./.
:t [ ]
:t { }
:t x: x
:t map
:t builtins.add
:t builtins.add 1
:t { __functor = s: x: x; }
:t "\${./set.nix}"
:t derivation { name = "d"; system = "s"; builder = "b"; }
:t throw "x"
`,
  },
  {
    name: 'adding and loading',
    input: `:ll
:a { one = 1; two = 2; }
one + two
:ll
:add 1
:add { x = throw "lazy"; "a b" = 2; "if" = 3; }
:l ./set.nix
two.three
add 1 2
:l function.nix
text
:l ./many.nix
n24
x = 5
:r
text
x
n3
`,
  },
  {
    name: 'what cannot be loaded',
    input: `x = 1
:load ./number.nix
:load ./missing.nix
:l ./broken.nix
:l
:a 1
:a throw "x"
x
`,
  },
  { name: 'a file', words: ['--file', 'set.nix'], input: 'one\ntwo\n:r\none\n' },
  { name: 'a part of a file', words: ['--file', 'set.nix', 'two'], input: 'three\none\n' },
  { name: 'an expression', words: ['--expr', '{ a = { b = 1; }; c = 2; }'], input: 'a\nc\n' },
  {
    name: 'parts of an expression',
    words: ['--expr', '{ a = { b = 1; }; c = { d = 2; }; }', 'a', 'c'],
    input: 'b\nd\n',
  },
  {
    name: 'a function in a file',
    words: ['--file', 'function.nix', '--argstr', 'name', 'you'],
    input: 'text\nname\n',
  },
  {
    name: 'an argument',
    words: ['--file', 'function.nix', '--arg', 'greeting', '"a" + "b"'],
    input: 'text\n:r\ntext\n',
  },
  {
    name: 'a search path',
    words: ['-I', 'here=.'],
    input: '<here/set.nix>\n(import <here/set.nix>).one\n:l <here/set.nix>\none\n',
  },
  {
    name: 'settings',
    words: ['--option', 'max-call-depth', '50'],
    input: 'let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 100\n',
  },
  { name: 'traces', input: ':te\n:te\n:te true\n:te false\n:trace-enable true\n:te maybe\n' },
  {
    name: 'documentation of functions',
    isText: true,
    words: ['--file', 'documented.nix'],
    input: `:doc add
:doc add 1
:doc pattern
:doc partial
:doc functor
:doc plain
:doc let f = /** Here. */ x: x; in f
:doc 1
:doc undefined
`,
  },
  {
    name: 'editors',
    words: ['--file', 'set.nix'],
    input: `:e add
:e ./number.nix
:e "/etc/hosts"
:edit two
:e 1
:e { meta.position = "/a/b.nix:7"; }
one
`,
  },
  {
    name: 'what cannot be built',
    input: ':b 1\n:bl { }\n:log 1\n:b\n1\n:log throw "x"\n',
  },
  { name: 'help and the end', input: ':q\n1 + 1\n' },
  { name: 'nothing', input: '\n   \n1\n\n' },
];
