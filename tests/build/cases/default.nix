# The derivations that Neve and a Nix both build, by name of the file and the case. See `run.mjs`.
{
  # A folder with a static busybox in it, as `busybox`.
  busybox,
  # Where a server on this machine has `hello.txt` and `hello.nar.xz`.
  url,
  # The same in a folder.
  files,
  # A folder with a relocatable C toolchain as `tests/build/README.md` says.
  toolchain ? null,
}:
let
  bb = builtins.path { path = busybox; name = "busybox"; };
  system = builtins.currentSystem;
  tools = derivation {
    name = "tools";
    inherit system;
    builder = "${bb}/busybox";
    args = [ "sh" "-e" "-c" "${bb}/busybox mkdir -p $out/bin; ${bb}/busybox --install -s $out/bin" ];
  };
  run = name: script: attributes: derivation ({
    inherit name system;
    builder = "${tools}/bin/sh";
    args = [ "-e" "-c" script ];
    PATH = "${tools}/bin";
  } // attributes);
  # The same with structured attributes, of which only the paths of outputs become variables.
  runStructured = name: script: attributes: run name ''
    PATH=${tools}/bin
    out=$(sed -n 's/.*"out":"\([^"]*\)".*/\1/p' "$NIX_ATTRS_JSON_FILE")
    dev=$(sed -n 's/.*"dev":"\([^"]*\)".*/\1/p' "$NIX_ATTRS_JSON_FILE")
    ${script}
  '' ({ __structuredAttrs = true; } // attributes);
  context = { inherit bb tools run runStructured system url files toolchain; };
  cases = file: import file context;
in
{
  attributes = cases ./attributes.nix;
  builtin = cases ./builtin.nix;
  checks = cases ./checks.nix;
  content = cases ./content.nix;
  environment = cases ./environment.nix;
  failing = cases ./failing.nix;
  files = cases ./files.nix;
  impure = cases ./impure.nix;
  references = cases ./references.nix;
} // (if toolchain == null then { } else { toolchain = cases ./toolchain.nix; })
