# A small set of packages that is made the way large ones are: a fixed point with overlays, overridable functions, a module
# system with options that are merged, and derivations that depend on one another in strings and lists.
{ count ? 12 }:
let
  fix = f: let x = f x; in x;
  extends = overlay: f: self: let super = f self; in super // overlay self super;
  compose = builtins.foldl' (f: overlay: extends overlay f);

  makeOverridable = f: args: let
    result = f args;
  in result // {
    override = change: makeOverridable f (args // (if builtins.isFunction change then change args else change));
  };
  callPackageWith = scope: f: args:
    makeOverridable f (builtins.intersectAttrs (builtins.functionArgs f) scope // args);

  optional = condition: value: if condition then [ value ] else [ ];
  flatten = x: if builtins.isList x then builtins.concatLists (map flatten x) else [ x ];

  makeDerivation = { name, version, inputs ? [ ], env ? { }, meta ? { } }: let
    drv = derivation ({
      name = "${name}-${version}";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "echo ${version} > $out" ];
      inputs = flatten inputs;
      PATH = builtins.concatStringsSep ":" (map (input: "${input}/bin") (flatten inputs));
    } // env);
  in drv // { inherit version meta; pname = name; };

  # Every package depends on the two before it.
  chain = self: builtins.listToAttrs (builtins.genList (i: {
    name = "package${toString i}";
    value = self.callPackage ({ makeDerivation, config }: makeDerivation {
      name = "package${toString i}";
      version = builtins.substring 0 8 (builtins.hashString "sha256" "${toString i}-${config.salt}");
      inputs = optional (i > 0) self."package${toString (i - 1)}"
        ++ optional (i > 1) [ self."package${toString (i - 2)}" [ ] ];
      env = builtins.mapAttrs (_: toString) config.environment // { doc = builtins.toJSON config.documentation; };
    }) { };
  }) count);

  base = self: {
    callPackage = callPackageWith (self // { inherit makeDerivation; });
    config = self.evaluated.config;
    evaluated = evalModules self.modules;
    modules = [ saltModule environmentModule documentationModule ];
  };

  overlays = [
    (self: super: chain self)
    (self: super: { modules = super.modules ++ [ { config.environment.EXTRA = "1"; } ]; })
    (self: super: {
      package3 = super.package3.override (args: {
        makeDerivation = given: args.makeDerivation (given // { version = "${given.version}-patched"; });
      });
      broken = throw "is not to be looked at";
      attempt = { drvPath = toString (builtins.tryEval self.broken).success; };
    })
    (self: super: {
      sorted = makeDerivation {
        name = "sorted";
        version = builtins.concatStringsSep "." (map toString (builtins.sort builtins.lessThan (builtins.genList (i: i * 37 - (i * 37 / 61) * 61) 40)));
        inputs = map (item: item.package) (builtins.genericClosure {
          startSet = [ { key = "package${toString (count - 1)}"; package = self."package${toString (count - 1)}"; } ];
          operator = { package, ... }: map (input: { key = input.pname; package = self.${input.pname}; }) (builtins.filter (builtins.hasAttr "pname") package.inputs);
        });
        env.structure = builtins.toXML (builtins.fromJSON (builtins.toJSON { list = [ 1 2.5 "three" null ]; nested.set = true; }));
      };
    })
  ];

  # ── Modules: every definition of an option is merged with the others, as the option says ──

  mergeOne = _: builtins.head;
  mergeSets = path: builtins.foldl' (a: b: a // b) { };
  mergeLists = path: builtins.concatLists;

  saltModule = {
    options.salt = { merge = mergeOne; default = "none"; };
    config.salt = "pinch";
  };
  environmentModule = { config, ... }: {
    options.environment = { merge = mergeSets; default = { }; };
    config.environment = { SALT = config.salt; COUNT = count; };
  };
  documentationModule = { options, ... }: {
    options.documentation = { merge = mergeLists; default = [ ]; };
    config.documentation = map (name: "the option ${name}, ${builtins.replaceStrings [ "a" "e" ] [ "e" "a" ] name}")
      (builtins.attrNames options);
  };

  evalModules = modules: fix (evaluated: let
    called = map (module: if builtins.isFunction module then module { inherit (evaluated) config options; } else module) modules;
  in {
    options = mergeSets [ ] (map (module: module.options or { }) called);
    config = builtins.mapAttrs (name: option: let
      definitions = builtins.filter (module: builtins.hasAttr name (module.config or { })) called;
    in if definitions == [ ] then option.default else option.merge [ name ] (map (module: module.config.${name}) definitions))
      evaluated.options;
  });

  set = fix (compose base overlays);
in builtins.removeAttrs (builtins.intersectAttrs (builtins.listToAttrs (map (name: { inherit name; value = null; })
  ([ "sorted" "attempt" ] ++ builtins.genList (i: "package${toString i}") count))) set) [ ]
