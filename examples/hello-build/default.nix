# A package without a compiler: its builder is the shell that every sandbox has at /bin/sh, and what that does is in build.sh.
#
#   neve build examples/hello-build -A hello
#   neve eval --file examples/hello-build length
{
  name ? "world",
  system ? builtins.currentSystem,
}:

let
  package =
    attributes:
    derivation (
      attributes
      // {
        inherit system;
        builder = "/bin/sh";
        # It is sooner made than asked for.
        allowSubstitutes = false;
      }
    );
in
rec {
  # Built first, since `hello` mentions it.
  greeting = package {
    name = "greeting";
    args = [
      "-c"
      ''echo "writing a greeting for ${name}"; echo "Hello, ${name}!" > "$out"''
    ];
  };

  hello = package {
    name = "hello";
    inherit greeting;
    args = [ ./build.sh ];
  };

  # Import from derivation: the evaluation reads what a build has made.
  length = builtins.stringLength (builtins.readFile greeting);
}
