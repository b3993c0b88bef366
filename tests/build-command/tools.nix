# Packages with programs in them, for shells. `busybox` is a static one of the machine.
{ busybox }:
let
  tools = builtins.path {
    path = dirOf busybox;
    name = "tools";
    filter = path: _: baseNameOf path == baseNameOf busybox;
  };
  program = tools + "/${baseNameOf busybox}";
  make =
    name: outputs: script:
    derivation {
      inherit name outputs program;
      system = builtins.currentSystem;
      builder = "/bin/sh";
      args = [
        "-c"
        ''
          write() { $program mkdir -p $1/bin; echo "#!$program sh" > $1/bin/$2; echo "$3" >> $1/bin/$2; $program chmod +x $1/bin/$2; }
          ${script}
        ''
      ];
    };
in
rec {
  other = make "other" [ "out" ] "write $out other 'echo other'";
  greet = make "greet" [ "out" ] ''
    write $out greet 'echo "hello from ''${0%/bin/greet}:" "$@"'
    $program mkdir $out/nix-support
    echo ${other} > $out/nix-support/propagated-user-env-packages
  '';
  several = make "several" [ "out" "bin" ] "write $bin several 'echo several'; write $out library 'echo library'" // {
    meta.outputsToInstall = [ "bin" ];
  };
}
