/** Programs to start from. Each is a project of one or more files; the first file is evaluated. */
import type { ProjectFile } from './project.ts';

export type Sample = { readonly title: string; readonly files: readonly ProjectFile[] };

function sample(title: string, ...files: readonly (readonly [name: string, text: string])[]): Sample {
  return { title, files: files.map(([name, text]) => ({ name, text: text.replace(/^\n/, '') })) };
}

export const samples: readonly Sample[] = [
  sample('Values', [
    'main.nix',
    `
# Change something: it is evaluated while you type.
let
  greet = name: "Hello, \${name}!";
  people = [ "Ada" "Grace" "Barbara" ];
in
{
  greetings = map greet people;
  sum = builtins.foldl' (a: b: a + b) 0 [ 1 2 3 4 ];

  # Nothing here is evaluated before you open it.
  later = builtins.length (builtins.genList (n: n * n) 100000);
  broken = throw "only who opens this sees it";

  nested.attribute.path = true;
}
`,
  ]),
  sample('Functions', [
    'main.nix',
    `
let
  # A function has one argument; several are functions in functions.
  add = a: b: a + b;
  increment = add 1;

  # A set as argument, with a default, and all of it by a name.
  describe = { name, version ? "1.0", ... }@package:
    "\${name}-\${version} with \${toString (builtins.length (builtins.attrNames package))} attributes";

  fix = f: let x = f x; in x;
in
{
  three = increment 2;
  described = describe { name = "neve"; license = "MIT"; };
  factorial = fix (self: n: if n == 0 then 1 else n * self (n - 1)) 15;
  piped = [ 3 1 2 ] |> builtins.sort (a: b: a < b) |> map (n: n * 10);
}
`,
  ]),
  sample('Derivations', [
    'main.nix',
    `
# What arises here is in the tab "Derivations".
let
  build = name: inputs: derivation {
    inherit name inputs;
    system = "x86_64-linux";
    builder = "/bin/sh";
    args = [ "-c" "cat $inputs > $out" ];
  };

  source = builtins.toFile "source.c" "int main(void) { return 0; }";
  libc = build "libc" [ ];
  compiler = build "compiler" [ libc ];
  zlib = build "zlib" [ compiler libc source ];
  openssl = build "openssl" [ compiler libc zlib ];
  curl = build "curl" [ compiler zlib openssl ];
  docs = build "curl-docs" [ source ];
in
(build "image" [ curl docs ]).drvPath
`,
  ]),
  sample(
    'Several files',
    [
      'main.nix',
      `
let
  lists = import ./lists.nix;
  people = import ./people.nix;
in
{
  names = map (person: person.name) people;
  oldest = lists.maximum (a: b: a.born > b.born) people;
  byCentury = builtins.groupBy (person: toString (person.born / 100 + 1)) people;
}
`,
    ],
    [
      'lists.nix',
      `
{
  # The largest item, "smaller" saying whether one is smaller than another.
  maximum = smaller: list:
    builtins.foldl' (best: item: if smaller best item then item else best) (builtins.head list) list;
}
`,
    ],
    [
      'people.nix',
      `
[
  { name = "Ada Lovelace"; born = 1815; }
  { name = "Grace Hopper"; born = 1906; }
  { name = "Barbara Liskov"; born = 1939; }
]
`,
    ],
  ),
  sample('A small module system', [
    'main.nix',
    `
# Modules are functions of the whole configuration; laziness ties the knot.
let
  merge = builtins.foldl' (a: b: a // b) { };
  evalModules = modules:
    let config = merge (map (module: module { inherit config; }) modules);
    in config;

  network = { config }: {
    hostName = "neve";
    domain = "\${config.hostName}.example.org";
  };
  web = { config }: {
    url = "https://\${config.domain}/";
    virtualHosts.\${config.domain}.root = "/srv/www";
  };
in
evalModules [ network web ]
`,
  ]),
  sample('Text and JSON', [
    'main.nix',
    `
let
  json = builtins.fromJSON ''
    { "name": "neve", "tags": ["nix", "wasm"], "size": 1.5e3 }
  '';
  version = builtins.match "([0-9]+)\\\\.([0-9]+).*" "2.35.2";
  script = ''
    #!/bin/sh
      echo "indentation is kept, what all lines share is not"
    echo ''\${HOME} is the shell's, \${json.name} is Nix's
  '';
in
{
  inherit json script;
  major = builtins.head version;
  back = builtins.toJSON (json // { tags = builtins.length json.tags; });
  hash = builtins.hashString "sha256" script;
}
`,
  ]),
  sample('An error', [
    'main.nix',
    `
# The trace tells how evaluation got there.
let
  average = list: builtins.foldl' (a: b: a + b) 0 list / builtins.length list;
  report = { name, marks }: "\${name}: \${toString (average marks)}";
in
builtins.concatStringsSep ", " (map report [
  { name = "Ada"; marks = [ 1 2 ]; }
  { name = "Grace"; marks = [ ]; }
])
`,
  ]),
  sample('An endless loop', [
    'main.nix',
    `
# This never ends. The page goes on all the same: press Stop.
let
  numbers = builtins.genList (n: n) 10000;
  sum = builtins.foldl' (a: b: a + b);
in
builtins.genericClosure {
  startSet = [ { key = 0; } ];
  operator = { key }: [ { key = sum (key + 1) numbers; } ];
}
`,
  ]),
];
