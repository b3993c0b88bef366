# How attributes reach a builder: variables, files, structured attributes, graphs of references.
{ bb, tools, run, runStructured, ... }:
let
  input = run "input" "echo ${tools} > $out; mkdir $dev; echo $out > $dev/x" { outputs = [ "out" "dev" ]; };
in
{
  passAsFile = run "pass-as-file" ''
    mkdir $out; cp $textPath $out/text; cp $emptyPath $out/empty; cp $listPath $out/list
    echo $textPath $emptyPath $listPath "[$text]" > $out/variables
    ls -1A > $out/files; ls -l $textPath | cut -c 1-10 > $out/mode
  '' {
    passAsFile = [ "text" "empty" "list" "missing" ];
    text = "lines\nof text with ${placeholder "out"} and ${bb}";
    empty = "";
    list = [ "a" "b c" tools ];
  };

  passAsFileBig = run "pass-as-file-big" "wc -c < $textPath > $out; sha256sum $textPath | cut -c 1-64 >> $out" {
    passAsFile = [ "text" ];
    text = builtins.concatStringsSep "\n" (builtins.genList (i: "line ${toString i}") 30000);
  };

  structured = runStructured "structured" ''
    mkdir $out; cp .attrs.sh .attrs.json $out/; ls -1A > $out/files
    ls -l .attrs.sh .attrs.json | cut -c 1-10 > $out/modes
    echo $NIX_ATTRS_SH_FILE $NIX_ATTRS_JSON_FILE > $out/variables
  '' {
    text = "it's \"quoted\" $HOME `x` \\ \n end";
    unicode = "žluťoučký \t tab";
    number = 42;
    negative = -7;
    large = 9223372036854775807;
    fraction = 1.5;
    whole = 2.0;
    small = 1.0e-7;
    huge = 1.0e30;
    third = 0.1;
    yes = true;
    no = false;
    nothing = null;
    list = [ "a" 1 true null "b c" ];
    emptyList = [ ];
    nestedList = [ [ 1 ] [ 2 ] ];
    set = { a = 1; b = "x'y"; "c d" = true; e = null; };
    emptySet = { };
    nestedSet = { a.b.c = 1; };
    mixed = [ 1.5 { a = 1; } ];
    "not-a-name" = 1;
    "é" = 1;
    path = ../cases/default.nix;
    drv = input;
    own = placeholder "out";
  };

  structuredOutputs = runStructured "structured-outputs" ''
    mkdir $out; cp .attrs.sh .attrs.json $out/
    echo dev > $dev
  '' { outputs = [ "out" "dev" ]; };

  graph = run "graph" "mkdir $out; cp closure second $out/; ls -1A > $out/files" {
    exportReferencesGraph = [ "closure" input.dev "second" tools ];
  };

  graphOfDerivation = run "graph-of-derivation" "mkdir $out; cp graph $out/" {
    exportReferencesGraph = [ "graph" input.drvPath ];
  };

  graphStructured = runStructured "graph-structured" "mkdir $out; cp .attrs.sh .attrs.json $out/" {
    exportReferencesGraph = { closure = [ input.dev ]; both = [ tools bb ]; };
  };

  preferLocal = run "prefer-local" "echo $preferLocalBuild $allowSubstitutes > $out" {
    preferLocalBuild = true;
    allowSubstitutes = false;
  };

  features = run "features" "echo $requiredSystemFeatures > $out" { requiredSystemFeatures = [ "big-parallel" "nixos-test" ]; };
  otherArguments = run "other-arguments" "x" { args = [ "-c" "for it; do echo \"<$it>\"; done > $out" "name" "" "a b" "new\nline" "žluť" (placeholder "out") ]; };
  longArguments = run "long-arguments" "x" { args = [ "-c" "echo \${#1} > $out" "name" (builtins.concatStringsSep "" (builtins.genList (_: "0123456789") 12000)) ]; };
  dashName = run "name-with_all.kinds+of=characters?1" "echo $name > $out" { };
}
