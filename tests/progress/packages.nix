# What is built at a terminal: shell scripts, run by the shell that a sandbox has at /bin/sh. A build that waits reads from a
# named pipe in /gate, so that a screen can be looked at while nothing changes.
{ url ? "" }:
let
  package =
    name: inputs: script:
    derivation {
      inherit name inputs;
      system = builtins.currentSystem;
      builder = "/bin/sh";
      args = [ "-c" script ];
    };
  setPhase = phase: "echo '@nix {\"action\":\"setPhase\",\"phase\":\"${phase}\"}'; ";
  wait = name: "read -r x < /gate/${name}; ";
  many = builtins.genList (
    n:
    package "part-${toString n}" (if n < 10 then [ ] else [ (builtins.elemAt many (n - 10)) ]) (
      setPhase "buildPhase"
      + "echo working on part ${toString n}; "
      + (if n == 4 || n == 23 then "echo it is broken; exit 1" else "echo > $out")
    )
  ) 49;
in
rec {
  first = package "first-1.0" [ ] (setPhase "unpackPhase" + "echo it begins; " + wait "first" + "echo > $out");
  second = package "second-2.0" [ ] ("echo 'Running phase: checkPhase'; " + wait "second" + "echo > $out");
  third = package "third" [ first second ] (wait "third" + "echo > $out");
  top = package "top" [ third ] "echo > $out";
  fails = package "fails" [ ] (setPhase "installPhase" + "echo it will fail; exit 3");
  blocked = package "blocked" [ fails first ] "echo > $out";
  # 50 of them, of which two fail and leave others without what they need.
  all = package "all" many "echo > $out";
  storm = package "storm" [ ] "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i of the storm; done; echo > $out";
  odd = package "odd" [ ] (
    "printf 'red \\033[31mtext\\033[0m\\n'; printf 'up\\033[2Aclear\\033[2J title\\033]0;x\\007 bell\\007\\n'; "
    + "printf 'one\\rtwo\\n'; printf '\\346\\227\\245\\346\\234\\254\\350\\252\\236 e\\314\\201 \\360\\237\\232\\200\\n'; echo > $out"
  );
  wide = package "wide" [ ] (
    "printf '\\346\\227\\245\\346\\234\\254\\350\\252\\236\\346\\227\\245\\346\\234\\254\\350\\252\\236\\346\\227\\245\\346\\234\\254\\350\\252\\236 e\\314\\201e\\314\\201 \\360\\237\\232\\200\\360\\237\\232\\200\\360\\237\\232\\200 and so on\\n'; "
    + wait "wide" + "echo > $out"
  );
  # Evaluation says something before and after it waits for a build.
  imported = builtins.trace "before the build" (
    let
      value = import (package "imported" [ ] (wait "imported" + "echo '\"it was built\"' > $out"));
    in
    builtins.seq value (builtins.trace "after the build" (package "traced" [ ] "echo ${value} > $out"))
  );
  # Two mebibytes of the letter x.
  fetched = derivation {
    name = "fetched";
    system = "builtin";
    builder = "builtin:fetchurl";
    inherit url;
    outputHashMode = "flat";
    outputHash = "sha256-aTL9MeXa9HObn6eP93eygxsJlcwdCwCTysgGAZAgE7w=";
  };
  phases = package "phases" [ ] (
    setPhase "buildPhase" + "echo one; echo two >&2; printf 'no end'; echo; " + setPhase "checkPhase" + "echo > $out"
  );
  pair = package "pair" [ odd phases ] "echo pair; echo > $out";
  broken = package "broken" [ fails phases ] "echo > $out";
  small = builtins.genList (n: package "small-${toString n}" [ ] "echo > $out") 40;
}
