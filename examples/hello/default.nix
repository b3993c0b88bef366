# A package in one page of Nix: a function with defaults, a source with a filter, a derivation that refers to
# another one. It needs no nixpkgs.
#
#   neve eval --file examples/hello greeting
#   neve instantiate examples/hello -A package
{
  name ? "world",
  system ? "x86_64-linux",
}:

let
  shell = "/bin/sh";

  # Only what the program is made of goes into the store, so that a change of the documentation rebuilds nothing.
  source = builtins.path {
    path = ./.;
    name = "hello-source";
    filter = path: type: type == "directory" || baseNameOf path == "hello.sh";
  };

  run =
    name: script: attributes:
    derivation (
      attributes
      // {
        inherit name system;
        builder = shell;
        args = [
          "-euc"
          script
        ];
      }
    );
in
rec {
  greeting = "Hello, ${name}!";

  message = run "message" ''echo "$greeting" > "$out"'' { inherit greeting; };

  package = run "hello-1.0" ''
    while read -r line; do echo "$line"; done < "$source/hello.sh" > "$out"
  '' { inherit source message; };
}
