# A build of two derivations that say their phases, one of which is imported while evaluating.
let
  inherit (import ./trace-library.nix) make;
  imported = import (make "imported" [ ]);
in
make "final" [ imported (make "input" [ ]) ]
