# Packages of all kinds, for listings.
let
  make =
    name: extra:
    derivation (
      {
        inherit name;
        system = "x86_64-linux";
        builder = "/bin/sh";
      }
      // removeAttrs extra [ "meta" ]
    )
    // (if extra ? meta then { inherit (extra) meta; } else { });
in
rec {
  hello = make "hello-2.10" {
    meta = {
      description = "A program that says hello";
      priority = 3;
      function = x: x;
    };
  };
  # The same package, before the other in the alphabet.
  alias = hello;
  zlib = make "zlib-1.2.11" {
    outputs = [ "out" "dev" ];
    meta.description = "Lossless\ncompression";
  };
  Firefox = make "firefox-100.0" { };
  arm = make "arm-1" { system = "aarch64-linux"; };
  "no name" = make "quoted-1" { };
  set = {
    recurseForDerivations = true;
    inner = make "inner-tool-0.1" { meta.description = "says hello inside, Hello"; };
  };
  hidden.inner = make "hidden-1" { };
  list = [ (make "in-list-3" { }) ];
  thrown = throw "as asked";
  asserted = assert false; hello;
  late = make "late-1" { argument = throw "as asked"; };
  noVersion = make "no-version" { };
}
