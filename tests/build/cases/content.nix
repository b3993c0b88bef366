# Outputs whose paths follow from what they contain: fixed, floating, text, impure.
{ bb, tools, run, runStructured, url, ... }:
let
  fixed = name: hash: mode: script: run name script { outputHash = hash; outputHashMode = mode; };
  floating = attributes: {
    __contentAddressed = true;
    outputHashAlgo = "sha256";
    outputHashMode = "recursive";
  } // attributes;
  sri = algorithm: builtins.convertHash { hash = builtins.hashString algorithm "hello\n"; hashAlgo = algorithm; toHashFormat = "sri"; };
  base = run "ca-base" "echo base > $out" (floating { });
in
{
  flatSha256 = fixed "flat-sha256" (sri "sha256") "flat" "echo hello > $out";
  flatSha512 = fixed "flat-sha512" (sri "sha512") "flat" "echo hello > $out";
  flatSha1 = fixed "flat-sha1" (sri "sha1") "flat" "echo hello > $out";
  flatMd5 = run "flat-md5" "echo hello > $out" { outputHash = builtins.hashString "md5" "hello\n"; outputHashAlgo = "md5"; };
  recursiveSha256 = fixed "recursive-sha256" "sha256-BIf3EU8yztRrqSk+KdynkEvpnyGCMCwyFN6NrhPkmvI=" "recursive" "mkdir $out; echo hello > $out/f; ln -s f $out/l";
  recursiveSha512 = fixed "recursive-sha512" "sha512-W8oSY4hccGU2G9SZ5kWEJdJaPp1Czli4VEkIWZuB+9qUyR8+yZ2V+ahBXZ6659zXaaj4ao60dTZGgLi01bT2qg==" "recursive" "mkdir $out; echo hello > $out/f; ln -s f $out/l";
  recursiveSha1 = fixed "recursive-sha1" "sha1-jZ+VvJ096bcNijSZLcy3osd3d+A=" "recursive" "mkdir $out; echo hello > $out/f; ln -s f $out/l";
  recursiveExecutable = fixed "recursive-executable" "sha256-ZUNgOdP5PKGajb8cYLFXOe1Y9T8UuNNyrMGzUVMwEPo=" "nar" "echo hello > $out; chmod +x $out";
  # Another derivation with the same output: nothing is built, since the output is there or becomes so.
  sameFixed = fixed "flat-sha256" (sri "sha256") "flat" "sleep 0.2; echo hello > $out";
  fixedEnvironment = fixed "fixed-environment" (sri "sha256") "flat" ''
    [ "$NIX_OUTPUT_CHECKED" = 1 ]; [ -e /etc/hosts ]; [ -e /etc/passwd ]
    echo hello > $out
  '';
  fixedImpureVariables = run "fixed-impure-variables" ''
    [ "$NEVE_TEST_VARIABLE" = "from outside" ]; [ "''${NEVE_TEST_UNSET-unset}" = "" ]
    echo hello > $out
  '' { outputHash = sri "sha256"; impureEnvVars = [ "NEVE_TEST_VARIABLE" "NEVE_TEST_UNSET" ]; NEVE_TEST_VARIABLE = "from the derivation"; };
  notFixedImpureVariables = run "not-fixed-impure-variables" "echo \"$NEVE_TEST_VARIABLE\" > $out" {
    impureEnvVars = [ "NEVE_TEST_VARIABLE" ];
    NEVE_TEST_VARIABLE = "from the derivation";
  };
  fixedNetwork = fixed "fixed-network" (sri "sha256") "flat" "wget -q -O $out ${url}/hello.txt";
  fixedMentionsItself = run "fixed-user" "cat ${fixed "fixed-input" (sri "sha256") "flat" "echo hello > $out"} > $out" { };

  floatingFile = base;
  floatingTree = run "ca-tree" "mkdir $out; echo ${base} > $out/a; echo ${bb} > $out/b" (floating { });
  floatingOutputs = run "ca-outputs" "echo $dev > $out; mkdir $dev; echo ${base} > $dev/x" (floating { outputs = [ "out" "dev" ]; });
  floatingFlat = run "ca-flat" "echo flat > $out" (floating { outputHashMode = "flat"; });
  floatingSha1 = run "ca-sha1" "mkdir $out" (floating { outputHashAlgo = "sha1"; });
  floatingSha512 = run "ca-sha512" "mkdir $out" (floating { outputHashAlgo = "sha512"; });
  floatingText = run "ca-text" "echo text ${tools} > $out" (floating { outputHashMode = "text"; });
  # Two derivations, one output.
  floatingSame = run "ca-base" "sleep 0.1; echo base > $out" (floating { });
  dependsOnFloating = run "depends-on-floating" "echo ${base} $out > $out" { };
  dependsOnDependant = run "depends-on-dependant" "echo ${run "between" "echo ${base} > $out" { }} > $out" { };
  floatingOnFloating = run "ca-on-ca" "cat ${base} > $out; echo ${base} >> $out" (floating { });
  floatingStructured = runStructured "ca-structured" "mkdir $out; echo ${base} > $out/x" (floating { });
}
