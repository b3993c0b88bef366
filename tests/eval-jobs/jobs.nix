# A small tree of jobs: what is looked into and what is not, failures of all kinds, aggregates.
{
  system ? "x86_64-linux",
  suffix ? "",
}:
let
  make =
    name: extra:
    derivation (
      {
        name = name + suffix;
        inherit system;
        builder = "/bin/sh";
        args = [
          "-c"
          "echo ${name} > $out"
        ];
      }
      // extra
    );
in
{
  plain = make "plain" { requiredSystemFeatures = [ "kvm" "big-parallel" ]; };
  described = make "described" { } // {
    version = "1.0";
    meta = {
      description = "says \"this\"";
      broken = false;
      priority = 5;
      share = 0.25;
      platforms = [ "x86_64-linux" ];
      license = { free = true; };
      # None of these can be written down.
      function = x: x;
      nothing = null;
      package = make "of-meta" { };
      mixed = [ 1 (x: x) ];
    };
  };
  outputs = make "outputs" { outputs = [ "out" "dev" "doc" ]; };
  needs = make "needs" {
    one = make "one" { outputs = [ "out" "dev" ]; };
    other = (make "one" { outputs = [ "out" "dev" ]; }).dev;
    text = builtins.toFile "text" "of it";
  };
  structured = make "structured" {
    __structuredAttrs = true;
    requiredSystemFeatures = [ "nested" ];
  };
  "with.dot" = make "with-dot" { };
  "with space" = make "with-space" { };
  "" = make "without-name" { };
  called = { more ? 3 }: make "called" { inherit more; };

  notLookedInto.inside = make "inside-not" { };
  lookedInto = {
    recurseForDerivations = true;
    inside = make "inside" { };
    refuses = {
      recurseForDerivations = false;
      inside = make "inside-refusing" { };
    };
    deeper = {
      recurseForDerivations = true;
      inside = make "deepest" { };
      fails = throw "down here";
    };
    # A derivation is not looked into, whatever it says.
    derivation = make "derivation" { } // {
      recurseForDerivations = true;
      inside = make "inside-derivation" { };
    };
  };
  badFlag = {
    recurseForDerivations = "yes";
    inside = make "inside-bad" { };
  };
  list = [ (make "in-list" { }) ];
  number = 1;
  nothing = null;

  throws = throw "as asked";
  aborts = abort "as asked";
  asserts = assert 1 == 2; make "asserts" { };
  missingFile = import ./no-such-file.nix;
  recursion = let x = x; in x;
  endlessCalls = let f = n: 1 + f (n + 1); in f 0;
  badName = make "bad-name" { } // { name = 5; };
  badPath = { type = "derivation"; name = "bad-path"; drvPath = "/tmp/not-in-store.drv"; outPath = "/nowhere"; };
  noPath = { type = "derivation"; name = "no-path"; outPath = "/nix/store/ffffffffffffffffffffffffffffffff-x"; };
  failsInside = make "fails-inside" { argument = throw "inside"; };
}
