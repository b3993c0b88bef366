# What a Nix makes of the attribute at a path: the fields that a job has.
{
  jobs,
  path,
}:
let
  called = value: if builtins.isFunction value then value { } else value;
  drv = builtins.foldl' (value: name: called (called value).${name}) (called jobs) path;
  text = value: builtins.unsafeDiscardStringContext (builtins.substring 0 (-1) value);
  storePath =
    value:
    if builtins.match "/nix/store/.*" (text value) == null then throw "not in the store" else text value;
in
{
  attrPath = path;
  name = text drv.name;
  inherit (drv) system;
  drvPath = storePath drv.drvPath;
  outputs = builtins.listToAttrs (
    map (name: {
      inherit name;
      value = storePath drv.${name}.outPath;
    }) (drv.outputs or [ "out" ])
  );
}
