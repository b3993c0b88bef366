# Functions of lists.
self: rec {
  range = from: to: if to < from then [ ] else builtins.genList (i: from + i) (to - from + 1);

  sum = builtins.foldl' builtins.add 0;

  reverse =
    list:
    let
      size = builtins.length list;
    in
    builtins.genList (i: builtins.elemAt list (size - i - 1)) size;

  # Every item once, where it stands first.
  unique = builtins.foldl' (seen: item: if builtins.elem item seen then seen else seen ++ [ item ]) [ ];

  zip =
    left: right:
    builtins.genList (i: {
      left = builtins.elemAt left i;
      right = builtins.elemAt right i;
    }) (self.lists.min (builtins.length left) (builtins.length right));

  min = a: b: if a < b then a else b;

  last =
    list:
    if list == [ ] then throw "an empty list has no last item" else builtins.head (reverse list);
}
