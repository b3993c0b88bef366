/**
 * A tour of the language: steps with a text, a program, and a task, which is done when the value is what it should be.
 * Texts are in a small part of Markdown: paragraphs, and `code` in backquotes.
 */

export type TourStep = {
  readonly title: string;
  readonly text: string;
  readonly code: string;
  readonly task: string;
  /** What Nix prints of the evaluated value when the task is done. */
  readonly goal: string;
  /** The program with which it is: for those who are stuck, and for the test of the tour. */
  readonly solution: string;
};

export const tour: readonly TourStep[] = [
  {
    title: 'A program is an expression',
    text: 'Nix has no statements: a program is one expression, and running it means finding its value. Numbers, strings, Booleans and `null` are values; `+`, `==`, `&&` and the like combine them.',
    code: '40 + 1\n',
    task: 'Make the value 42.',
    goal: '42',
    solution: '40 + 2\n',
  },
  {
    title: 'Strings',
    text: 'A string stands in double quotes. Between `${` and `}` is an expression whose value becomes a part of the text; it must be a string, and `toString` makes one of a number.\n\nTwo single quotes begin a string of many lines, without the indentation that all lines share.',
    code: '"six times seven is ${toString (6 * 6)}"\n',
    task: 'Mend the multiplication.',
    goal: '"six times seven is 42"',
    solution: '"six times seven is ${toString (6 * 7)}"\n',
  },
  {
    title: 'Lists',
    text: 'The items of a list stand between brackets, with spaces between them. What is more than a name or a literal, a call for example, needs parentheses. `++` joins two lists.',
    code: '[ 1 2 ] ++ [ (1 + 2) ]\n',
    task: 'Add 4 at the end.',
    goal: '[ 1 2 3 4 ]',
    solution: '[ 1 2 ] ++ [ (1 + 2) 4 ]\n',
  },
  {
    title: 'Attribute sets',
    text: 'A set has named attributes: `name = value;`. A dot selects one, and `a.b = 1;` makes a set in a set. `or` gives what is to be taken when there is no such attribute.',
    code: 'let\n  person = { name = "Ada"; born.year = 1815; };\nin\nperson.died.year or "not known"\n',
    task: 'Ask for the year in which she was born.',
    goal: '1815',
    solution: 'let\n  person = { name = "Ada"; born.year = 1815; };\nin\nperson.born.year or "not known"\n',
  },
  {
    title: 'Names',
    text: '`let … in …` gives names to values; they may refer to each other in any order. `inherit x;` is short for `x = x;`, and `rec { … }` is a set whose attributes see each other.',
    code: 'let\n  width = 6;\n  area = width * height;\n  height = 6;\nin\n{ inherit area width; }\n',
    task: 'Make the area 42, with the width as it is.',
    goal: '{ area = 42; width = 6; }',
    solution: 'let\n  width = 6;\n  area = width * height;\n  height = 7;\nin\n{ inherit area width; }\n',
  },
  {
    title: 'Functions',
    text: '`x: x + 1` is a function: an argument, a colon, and what it gives. It is called by writing the argument after it. A function of two arguments is a function that gives a function.',
    code: 'let\n  add = a: b: a + b;\n  addTwo = add 1;\nin\naddTwo 40\n',
    task: 'Let `addTwo` do what it says.',
    goal: '42',
    solution: 'let\n  add = a: b: a + b;\n  addTwo = add 2;\nin\naddTwo 40\n',
  },
  {
    title: 'Sets as arguments',
    text: 'A function may take a set apart: `{ name, version }: …`. `?` gives a default, `...` allows more attributes, and `@` names the whole set.',
    code: 'let\n  title = { name, version }: "${name} ${version}";\nin\ntitle { name = "Nix"; }\n',
    task: 'Give `version` the default "2.35".',
    goal: '"Nix 2.35"',
    solution:
      'let\n  title = { name, version ? "2.35" }: "${name} ${version}";\nin\ntitle { name = "Nix"; }\n',
  },
  {
    title: 'Laziness',
    text: 'Nothing is evaluated before its value is needed, and nothing twice. So a set may hold an error, or a list without an end, as long as nobody looks.',
    code: 'let\n  shop = {\n    price = 42;\n    stock = throw "nobody has counted";\n  };\nin\nshop.stock\n',
    task: 'Look only at what is known.',
    goal: '42',
    solution:
      'let\n  shop = {\n    price = 42;\n    stock = throw "nobody has counted";\n  };\nin\nshop.price\n',
  },
  {
    title: 'Conditions and checks',
    text: '`if … then … else …` is an expression, so that it always has an `else`. `assert condition; value` is the value if the condition holds.',
    code: 'let\n  sign = n: if n < 0 then "negative" else "positive";\nin\nmap sign [ (-5) 0 5 ]\n',
    task: 'Let 0 be "zero".',
    goal: '[ "negative" "zero" "positive" ]',
    solution:
      'let\n  sign = n: if n < 0 then "negative" else if n == 0 then "zero" else "positive";\nin\nmap sign [ (-5) 0 5 ]\n',
  },
  {
    title: 'Builtins',
    text: "The set `builtins` has functions for lists, sets, strings, files and more; type `builtins.` and see. Some, such as `map` and `toString`, need no prefix. There are no loops: `map`, `builtins.filter` and `builtins.foldl'` go through lists.",
    code: 'builtins.filter (n: n < 3) [ 1 2 3 4 5 6 ]\n',
    task: 'Keep the numbers above 3.',
    goal: '[ 4 5 6 ]',
    solution: 'builtins.filter (n: n > 3) [ 1 2 3 4 5 6 ]\n',
  },
  {
    title: 'Sets again',
    text: '`a // b` has the attributes of both; where both have one, that of `b` counts. `builtins.mapAttrs` goes through a set, and `with set;` brings all its attributes into scope.',
    code: 'let\n  defaults = { port = 80; host = "localhost"; };\n  chosen = { port = 8080; };\nin\nchosen // defaults\n',
    task: 'Let what was chosen count.',
    goal: '{ host = "localhost"; port = 8080; }',
    solution:
      'let\n  defaults = { port = 80; host = "localhost"; };\n  chosen = { port = 8080; };\nin\ndefaults // chosen\n',
  },
  {
    title: 'Recursion',
    text: 'Functions may call themselves. What a loop is elsewhere is recursion here, or one of the builtins.',
    code: 'let\n  factorial = n: if n == 0 then 1 else n + factorial (n - 1);\nin\nfactorial 5\n',
    task: 'A factorial is a product: it should be 120.',
    goal: '120',
    solution: 'let\n  factorial = n: if n == 0 then 1 else n * factorial (n - 1);\nin\nfactorial 5\n',
  },
  {
    title: 'Derivations',
    text: 'What all of this is for: `derivation` describes how something is built. Its store path follows from everything that goes into it, so that another input gives another path. Look at the tab "Derivations".',
    code: 'let\n  hello = derivation {\n    name = "goodbye";\n    system = "x86_64-linux";\n    builder = "/bin/sh";\n    args = [ "-c" "echo hello > $out" ];\n  };\nin\nbuiltins.substring 44 9 hello.drvPath\n',
    task: 'Call it "hello".',
    goal: '"hello.drv"',
    solution:
      'let\n  hello = derivation {\n    name = "hello";\n    system = "x86_64-linux";\n    builder = "/bin/sh";\n    args = [ "-c" "echo hello > $out" ];\n  };\nin\nbuiltins.substring 44 9 hello.drvPath\n',
  },
];
