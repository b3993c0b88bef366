# Aggregates of Hydra, as jobs that name others.
let
  make =
    name: extra:
    derivation (
      {
        inherit name;
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [ "-c" "echo done > $out" ];
      }
      // extra
    );
  aggregate = name: constituents: extra: make name ({ _hydraAggregate = true; inherit constituents; } // extra);
in
rec {
  one = make "one" { };
  two = make "two" { outputs = [ "lib" "out" ]; };
  set = { recurseForDerivations = true; three = make "three" { }; };
  direct = aggregate "direct" [ one ] { };
  indirect = aggregate "indirect" [ "one" "set.three" ] { };
  mixed = aggregate "mixed" [ one "two" ] { };
  ofAggregates = aggregate "of-aggregates" [ "indirect" "one" ] { };
  globbing = aggregate "globbing" [ "set.*" "t[vw]?" ] { _hydraGlobConstituents = true; };
  all = aggregate "all" [ "set.*" "nothing*" ] { _hydraGlobConstituents = true; };
  broken = throw "it is broken";
  ofBroken = aggregate "of-broken" [ "broken" "one" ] { };
  ofMissing = aggregate "of-missing" [ "nowhere" ] { };
}
