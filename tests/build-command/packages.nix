# What the commands are tried on: shell scripts, run by the shell that a sandbox has at /bin/sh.
let
  package =
    name: script: attributes:
    derivation (
      {
        inherit name;
        system = builtins.currentSystem;
        builder = "/bin/sh";
        args = [
          "-c"
          script
        ];
      }
      // attributes
    );
  wrongHash = {
    outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    outputHashMode = "flat";
  };
in
rec {
  one = package "one" "echo building one; echo 1 > $out" { };
  two = package "two" "read -r x < ${one}; echo $x > $out; echo ${one} >> $out" { };
  three = package "three" "echo ${two} > $out" { };
  outs = package "outs" "echo out > $out; echo dev > $dev" {
    outputs = [
      "out"
      "dev"
    ];
  };
  dev-first = package "dev-first" "echo out > $out; echo dev > $dev" {
    outputs = [
      "dev"
      "out"
    ];
  };

  fails = package "fails" "echo it will fail; exit 3" { };
  fails-too = package "fails-too" "exit 4" { };
  needs-failing = package "needs-failing" "echo ${fails} > $out" { };
  needs-both = package "needs-both" "echo ${fails} ${fails-too} > $out" { };
  no-output = package "no-output" "exit 0" { };
  wrong = package "wrong" "echo x > $out" wrongHash;
  needs-wrong = package "needs-wrong" "echo ${wrong} > $out" { };
  fixed-fails = package "fixed-fails" "exit 5" wrongHash;
  never-ends = package "never-ends" "while :; do :; done" { };
  random = package "random" "read -r x < /proc/sys/kernel/random/uuid; echo $x > $out" { };
  not-allowed = package "not-allowed" "echo ${one} > $out" { allowedReferences = [ ]; };
  loud = package "loud" "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; done; exit 1" { };
  too-loud = package "too-loud" "while :; do echo line; done" { };
  other-system = package "other-system" "exit 0" { system = "other-os"; };

  # Import from derivation.
  imported = import (package "imported" "echo '\"from a build\"' > $out" { });
  imported-fails = import (package "imported-fails" "exit 7" { });

  # As slow as a test can bear, to be interrupted or built by two at once.
  waits = package "waits" "echo started; read -r x < /dev/zero; echo done > $out" { };
  slow = package "slow" "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo x > $out" { };
  ca = input: package "ca" "echo same > $out" {
    inherit input;
    __contentAddressed = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
  };
  uses-ca = input: package "uses-ca" "echo ${ca input} > $out" {
    __contentAddressed = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
  };
}
