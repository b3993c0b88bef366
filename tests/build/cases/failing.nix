# Builds that end badly, each in its own way. `failures.mjs` says how they are run and what must be told.
{ bb, tools, run, runStructured, system, url, files, ... }:
let
  a = run "failing-a" "echo a > $out" { };
  b = run "failing-b" "echo ${a} > $out" { };
  floating = { __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
  sri = builtins.convertHash { hash = builtins.hashString "sha256" "other\n"; hashAlgo = "sha256"; toHashFormat = "sri"; };
  package = name: text: run name "mkdir -p $out/bin; echo ${text} > $out/bin/both" { };
  environment = packages: derivation {
    name = "colliding-environment";
    system = "builtin";
    builder = "builtin:buildenv";
    derivations = builtins.concatMap (it: [ "true" 5 1 it ]) packages;
    manifest = "/none";
  };
  bad = run "bad" "echo bad things >&2; exit 3" { };
  worse = run "worse" "sleep 0.5; exit 4" { };
in
{
  exitCode = run "exit-code" "echo first; echo second >&2; exit 7" { };
  exitCode255 = run "exit-code-255" "exit 255" { };
  exitsAfterOutput = run "exits-after-output" "echo x > $out; exit 1" { };
  childKilled = run "child-killed" "sh -c 'kill -9 $$'; exit 9" { };
  # The first process of a sandbox is ended by no signal but those that the kernel insists on.
  killsItself = run "kills-itself" "kill -9 $$; kill -TERM $$; echo alive > $out; exit 5" { };
  killsAll = run "kills-all" "kill -9 -1; echo alive > $out; exit 6" { };
  fixedFails = run "fixed-fails" "exit 3" { outputHash = sri; };
  noOutput = run "no-output" "echo nothing" { };
  oneOutput = run "one-output" "echo x > $out" { outputs = [ "out" "dev" ]; };
  noBuilder = derivation { name = "no-builder"; inherit system; builder = "/no/such/builder"; };
  notExecutable = derivation { name = "not-executable"; inherit system; builder = builtins.toFile "script" "exit 0"; };
  folderAsBuilder = derivation { name = "folder-as-builder"; inherit system; builder = "${tools}"; };
  longLog = run "long-log" "for i in $(seq 100); do echo line $i; done; printf 'no end'; exit 1" { };

  fifo = run "fifo" "mkfifo $out" { };
  fifoInside = run "fifo-inside" "mkdir $out; mkfifo $out/pipe" { };
  device = run "device" "mknod $out c 1 3" { };

  cycle = run "cycle" "echo $dev > $out; echo $out > $dev" { outputs = [ "out" "dev" ]; };
  cycleOfThree = run "cycle-of-three" "echo $b > $a; echo $c > $b; echo $a > $c" { outputs = [ "a" "b" "c" ]; };
  wrongFlat = run "wrong-flat" "echo hello > $out" { outputHash = sri; };
  wrongRecursive = run "wrong-recursive" "mkdir $out" { outputHash = sri; outputHashMode = "recursive"; };
  wrongSha512 = run "wrong-sha512" "echo hello > $out" { outputHashAlgo = "sha512"; outputHash = builtins.hashString "sha512" "x"; };
  wrongWithUrl = run "wrong-with-url" "echo hello > $out" { outputHash = sri; url = "http://example.org/file"; };
  flatFolder = run "flat-folder" "mkdir $out" { outputHash = sri; };
  flatExecutable = run "flat-executable" "echo other > $out; chmod +x $out" { outputHash = sri; };
  flatLink = run "flat-link" "ln -s x $out" { outputHash = sri; };
  fixedWithReference = run "fixed-with-reference" "echo ${a} > $out" { outputHash = builtins.convertHash { hash = builtins.hashString "sha256" "${builtins.unsafeDiscardStringContext "${a}"}\n"; hashAlgo = "sha256"; toHashFormat = "sri"; }; };
  floatingFlatFolder = run "ca-flat-folder" "mkdir $out" (floating // { outputHashMode = "flat"; });
  floatingFlatReference = run "ca-flat-reference" "echo ${a} > $out" (floating // { outputHashMode = "flat"; });

  allowedReferences = run "not-allowed-reference" "echo ${a} ${b} > $out" { allowedReferences = [ a ]; };
  allowedReferencesSelf = run "not-allowed-self" "echo $out > $out" { allowedReferences = [ ]; };
  allowedRequisites = run "not-allowed-requisite" "echo ${b} > $out" { allowedRequisites = [ b ]; };
  disallowedReferences = run "disallowed-reference" "echo ${a} > $out" { disallowedReferences = [ a ]; };
  disallowedRequisites = run "disallowed-requisite" "echo ${b} > $out" { disallowedRequisites = [ a ]; };
  unknownOutputInCheck = run "unknown-output-in-check" "echo x > $out" { allowedReferences = [ "dev" ]; };
  ignoredSelf = runStructured "ignored-self" "echo $out > $out" { outputChecks.out = { allowedRequisites = [ ]; ignoreSelfRefs = true; }; };
  tooLarge = runStructured "too-large" "head -c 2000 /dev/zero > $out" { outputChecks.out.maxSize = 1000; };
  closureTooLarge = runStructured "closure-too-large" "echo ${bb} > $out" { outputChecks.out.maxClosureSize = 1000; };
  outputCheckReferences = runStructured "output-check-references" "echo ${a} > $out" { outputChecks.out.disallowedReferences = [ a ]; };

  missingFeature = run "missing-feature" "echo x > $out" { requiredSystemFeatures = [ "a-feature-of-none" ]; };
  otherSystem = run "other-system" "echo x > $out" { system = "mips64-none"; };
  noChroot = run "no-chroot" "echo x > $out" { __noChroot = true; };
  impureHost = run "impure-host" "echo x > $out" { __impureHostDeps = [ "/etc/shadow" ]; };
  graphOfStranger = run "graph-of-stranger" "cp graph $out" { exportReferencesGraph = [ "graph" (builtins.unsafeDiscardStringContext "${a}") ]; };
  graphOddly = run "graph-oddly" "cp graph $out" { exportReferencesGraph = [ "graph" ]; };

  collision = environment [ (package "left" "1") (package "right" "2") ];
  unknownBuiltin = derivation { name = "unknown-builtin"; system = "builtin"; builder = "builtin:none"; };
  fetchMissing = derivation { name = "fetch-missing"; system = "builtin"; builder = "builtin:fetchurl"; url = "${url}/missing"; outputHashMode = "flat"; outputHash = sri; };
  fetchMissingFile = derivation { name = "fetch-missing-file"; system = "builtin"; builder = "builtin:fetchurl"; url = "file://${files}/missing"; outputHashMode = "flat"; outputHash = sri; };
  fetchWrong = derivation { name = "fetch-wrong"; system = "builtin"; builder = "builtin:fetchurl"; url = "${url}/hello.txt"; outputHashMode = "flat"; outputHash = sri; };

  dependsOnBad = run "depends-on-bad" "echo ${bad} > $out" { };
  dependsOnTwo = run "depends-on-two" "echo ${worse} ${bad} ${a} > $out" { };
  dependsOnDependant = run "depends-on-dependant-of-bad" "echo ${run "middle" "echo ${bad} > $out" { }} > $out" { };
  inherit bad worse;
  good = run "good" "echo good > $out" { };
  dependsOnWrong = run "depends-on-wrong" "cat ${run "wrong-source" "echo hello > $out" { outputHash = sri; }} > $out" { };

  deterministic = run "deterministic" "echo same > $out" { };
  random = run "random" "cat /proc/sys/kernel/random/uuid > $out" { };
  randomOutput = run "random-output" "echo same > $out; cat /proc/sys/kernel/random/uuid > $dev" { outputs = [ "out" "dev" ]; };
  sleeps = run "sleeps" "sleep 30; echo x > $out" { };
  sleepsSilently = run "sleeps-silently" "echo begun; sleep 30; echo x > $out" { };
  talks = run "talks" "while true; do echo line; sleep 0.2; done" { };
  logsMuch = run "logs-much" "yes | head -c 200000; echo x > $out" { };

  readsHost = run "reads-host" "cat ${files}/hello.txt > $out" { };
  usesNetwork = run "uses-network" "wget -q -T 5 -O $out ${url}/hello.txt" { };
  writesInput = run "writes-input" "echo x >> ${a}; echo x > $out" { };
  setuid = run "setuid" "echo x > $out; chmod 4755 $out" { };
  setgidFolder = run "setgid-folder" "mkdir $out; chmod 2755 $out" { };
}
