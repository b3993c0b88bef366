# Functions of graphs: a set that gives for every node the list of those it needs.
self: {
  # Everything that can be reached from some nodes, those included.
  reachable =
    graph: nodes:
    map (entry: entry.key) (
      builtins.genericClosure {
        startSet = map (key: { inherit key; }) nodes;
        operator = { key }: map (key: { inherit key; }) graph.${key};
      }
    );

  # All nodes, each after those that it needs.
  order =
    graph:
    let
      visit =
        path: placed: node:
        if builtins.elem node placed then
          placed
        else if builtins.elem node path then
          throw "${self.strings.join " needs " (path ++ [ node ])}"
        else
          builtins.foldl' (visit (path ++ [ node ])) placed graph.${node} ++ [ node ];
    in
    self.lists.unique (builtins.foldl' (visit [ ]) [ ] (builtins.attrNames graph));
}
