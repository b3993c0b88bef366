# Programs in C, compiled by a toolchain that is unpacked into the store.
{ bb, toolchain, system, ... }:
let
  compiler = import (toolchain + "/tools.nix") { inherit bb; };
  compile = name: source: script: derivation {
    inherit name system;
    builder = "${compiler}/bin/bash";
    PATH = "${compiler}/bin";
    SOURCE_DATE_EPOCH = "1";
    args = [ "-e" "-c" "cp ${builtins.toFile "main.c" source} main.c; ${script}" ];
  };
  hello = ''
    #include <stdio.h>
    int main(void) { printf("%s\n", "hello"); return 0; }
  '';
in
{
  inherit compiler;
  program = compile "program" hello "mkdir -p $out/bin; gcc -O2 -o $out/bin/hello main.c; $out/bin/hello > $out/output";
  library = compile "library" "int answer(void) { return 42; }" ''
    mkdir -p $out/lib; gcc -O2 -g -c main.c; ar rcs $out/lib/libanswer.a main.o; gcc -shared -fPIC -o $out/lib/libanswer.so main.c
  '';
}
