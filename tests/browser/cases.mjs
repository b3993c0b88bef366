// What is evaluated in the browser: expressions of the library in the folder (`./.`), and of the language itself.

/** Things that lie close to the host, or to what WebAssembly engines do differently. */
const general = [
  // Deep calls, which a host's stack would not carry.
  'let count = n: if n == 0 then 0 else 1 + count (n - 1); in count 9000',
  'let count = n: 1 + count n; in count 0',
  // Enough garbage for the collector.
  "builtins.foldl' (sum: n: sum + builtins.length (builtins.genList (i: i * n) 100)) 0 (builtins.genList (n: n) 20000)",
  '(derivation { name = "x"; system = "y"; builder = "/bin/sh"; args = [ "-c" "true" ]; }).drvPath',
  'builtins.hashString "sha256" "neve" + builtins.hashString "sha512" "neve" + builtins.hashString "md5" "neve"',
  'builtins.fromJSON (builtins.toJSON { a = [ 1 2.5 null true "é" ]; b.c = "\\n"; })',
  'builtins.match "(.*)-([0-9.]+)" "browser-1.2.3"',
  '[ (1.0 / 3) 1.0e300 (0.1 + 0.2) 9223372036854775807 ]',
  'builtins.tryEval (throw "caught")',
  'let missing = 1; in { a = mising; }',
  '{ a = 1; b = }',
  'import ./there-is-no-such-file.nix',
];

const exampleLibrary = [
  '(import ./.).strings.joinMap "-" toString [ 1 2 3 ]',
  '(import ./.).describe',
  '(import ./.).lists.reverse ((import ./.).lists.range 1 20)',
  '(import ./.).strings.words " some  words\n "',
  'map (import ./.).strings.isVersion [ "1.2" "1." ]',
  '(import ./.).graphs.order { a = [ "b" "c" ]; b = [ "c" ]; c = [ ]; }',
  '(import ./.).graphs.order { a = [ "b" ]; b = [ "a" ]; }',
  '(import ./.).graphs.reachable { a = [ "b" ]; b = [ "a" ]; c = [ ]; } [ "a" ]',
  "((import ./.).with' (self: previous: { sizes = { one = 1; }; })).describe",
  '(import ./.).lists.last [ ]',
  'builtins.readDir ./.',
  'builtins.stringLength (builtins.readFile ./default.nix)',
  'builtins.unsafeGetAttrPos "range" (import ./.).lists',
];

const nixpkgsLibrary = [
  '(import ./.).strings.concatMapStringsSep "-" toString [ 1 2 3 ]',
  'builtins.length (builtins.attrNames (import ./.))',
  'builtins.attrNames (import ./.).systems.examples',
  '(import ./.).systems.elaborate "x86_64-linux" |> (s: [ s.config s.isLinux s.parsed.cpu.bits ])',
  '(import ./.).systems.elaborate { config = "aarch64-unknown-linux-musl"; } |> (s: [ s.system s.isMusl ])',
  'with (import ./.).systems.parse; tripleFromSystem (mkSystemFromString "x86_64-w64-mingw32")',
  '(import ./.).lists.sort (a: b: a < b) [ 5 3 8 1 ]',
  '(import ./.).lists.foldr (a: b: a + b) 0 ((import ./.).lists.range 1 100)',
  '(import ./.).lists.toposort (a: b: a < b) [ 3 2 1 ]',
  '(import ./.).lists.groupBy (n: if n > 2 then "big" else "small") [ 1 2 3 4 ]',
  '(import ./.).attrsets.recursiveUpdate { a.b = 1; a.c = 2; } { a.c = 3; d = 4; }',
  '(import ./.).attrsets.mapAttrsToList (name: value: name + toString value) { a = 1; b = 2; }',
  '(import ./.).attrsets.collect builtins.isInt { a.b = 1; c.d.e = 2; }',
  '(import ./.).strings.escapeShellArg "it\'s"',
  '(import ./.).strings.toUpper "neve"',
  '(import ./.).versions.majorMinor "1.2.3"',
  '(import ./.).generators.toINI { } { section = { key = "value"; n = 1; }; }',
  '(import ./.).generators.toPretty { } { a = [ 1 { b = null; } ]; }',
  '(import ./.).types.int.description',
  `let
     lib = import ./.;
     module = { config, ... }: {
       options.count = lib.mkOption { type = lib.types.int; default = 1; };
       options.text = lib.mkOption { type = lib.types.str; };
       config.text = "count is \${toString config.count}";
     };
   in
   removeAttrs (lib.evalModules { modules = [ module { count = 41; } ]; }).config [ "_module" ]`,
  `let lib = import ./.; in
   (lib.evalModules {
     modules = [ { options.count = lib.mkOption { type = lib.types.int; }; config.count = "many"; } ];
   }).config.count`,
  '(import ./.).licenses.mit.spdxId or (import ./licenses.nix { lib = import ./.; }).mit.spdxId',
];

/** What reads files beside the library, or much of it. */
const wholeNixpkgs = [
  '(import ./.).version',
  '(import ./.).trivial.release',
  'builtins.attrNames (import ./.)',
  `let lib = import ./.; in
   builtins.mapAttrs (name: system:
     let s = lib.systems.elaborate system; in
     { inherit (s) config system isLinux isDarwin isWindows is64bit isLittleEndian libc; kernel = s.parsed.kernel.name; }
   ) lib.systems.examples`,
  'map (system: (import ./.).systems.elaborate system |> (s: [ s.system s.config s.linuxArch ])) (import ./.).systems.flakeExposed',
  'builtins.mapAttrs (name: builtins.length) (import ./.).systems.doubles |> (sets: removeAttrs sets [ "override" ])',
  `with (import ./.).strings; [
     (concatStringsSep ", " [ "a" "b" ]) (splitString "." "1.2.3") (replaceStrings [ "a" ] [ "b" ] "banana")
     (hasPrefix "ne" "neve") (removeSuffix ".nix" "default.nix") (toLower "NEVE") (fixedWidthNumber 5 42)
     (escapeXML "<a & b>") (levenshtein "kitten" "sitting") (cmakeBool true) (sanitizeDerivationName "..a b") (isStorePath "/a")
     (stringToCharacters "neve") (toSentenceCase "neve") (normalizePath "/a//b") (versionOlder "1.2" "1.10")
   ]`,
  'builtins.mapAttrs (name: license: if builtins.isAttrs license then license.spdxId or license.fullName else "-") (import ./.).licenses',
  'with (import ./.).fileset; builtins.isFunction toSource',
  '(import ./.).generators.toYAML { } { a = [ 1 2 ]; }',
];

/** @param {'example' | 'nixpkgs-lib' | 'nixpkgs'} library */
export function casesFor(library) {
  if (library === 'example') return [...exampleLibrary, ...general];
  return [...(library === 'nixpkgs' ? wholeNixpkgs : []), ...nixpkgsLibrary, ...general];
}
