# Builds whose outputs are never taken from an earlier build. `nix-build` does not take such derivations, `nix build` does.
{ run, url, ... }:
{
  network = run "impure-network" "echo \${NEVE_TEST_VARIABLE-none} > $out; wget -q -O - ${url}/hello.txt >> $out" { __impure = true; impureEnvVars = [ "NEVE_TEST_VARIABLE" ]; };
  user = run "impure-user" "cat ${run "impure-input" "echo input > $out" { __impure = true; }} > $out" { __impure = true; };
}
