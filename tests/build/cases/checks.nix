# What derivations ask of their outputs, and get.
{ bb, tools, run, runStructured, ... }:
let
  a = run "check-a" "echo a > $out" { };
  b = run "check-b" "echo ${a} > $out" { };
in
{
  allowedReferences = run "allowed-references" "echo ${a} $out > $out" { allowedReferences = [ a "out" ]; };
  allowedNone = run "allowed-none" "echo none > $out" { allowedReferences = [ ]; };
  allowedOutputs = run "allowed-outputs" "echo $dev > $out; echo dev > $dev" { outputs = [ "out" "dev" ]; allowedReferences = [ "dev" ]; };
  allowedRequisites = run "allowed-requisites" "echo ${b} > $out" { allowedRequisites = [ a b ]; };
  disallowedReferences = run "disallowed-references" "echo ${b} > $out" { disallowedReferences = [ a bb ]; };
  disallowedRequisites = run "disallowed-requisites" "echo ${a} > $out" { disallowedRequisites = [ b ]; };
  outputChecks = runStructured "output-checks" "echo ${b} > $out; echo $out > $dev" {
    outputs = [ "out" "dev" ];
    outputChecks.out = { allowedReferences = [ b ]; maxSize = 1000; maxClosureSize = 3000; };
    outputChecks.dev = { allowedRequisites = [ "out" "dev" a b ]; disallowedReferences = [ bb ]; };
  };
}
