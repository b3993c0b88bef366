# The packages as a flake has them: `nix search` looks into all others only one level deep, and ends at the first failure.
{
  legacyPackages.x86_64-linux = removeAttrs (import ./packages.nix) [ "list" "no name" ];
}
