# A library in several files, put together by a fixed point, so that its parts may refer to each other and a user
# may override any of them.
#
#   neve eval --file examples/library describe
#   neve eval --expr '(import ./examples/library).strings.joinMap ", " toString [ 1 2 3 ]' --raw
let
  fix = f: let self = f self; in self;

  extend =
    base: overlay: self:
    let
      previous = base self;
    in
    previous // overlay self previous;

  parts = self: {
    lists = import ./lists.nix self;
    strings = import ./strings.nix self;
    graphs = import ./graphs.nix self;

    describe = self.strings.joinMap "\n" (part: "${part}: ${toString (self.sizes.${part})} functions") (
      builtins.attrNames self.sizes
    );

    sizes = builtins.mapAttrs (_: part: builtins.length (builtins.attrNames part)) {
      inherit (self) lists strings graphs;
    };

    # The library with some of its parts replaced.
    with' = overlay: fix (extend parts overlay);
  };
in
fix parts
