# What nix-derivations.ts was made of, by Nix 2.34.8 with the features ca-derivations, impure-derivations and
# git-hashing: the text of every derivation, and what `nix derivation show` says of it.
let
  source = builtins.toFile "source.txt" "a source\n";
  make =
    attrs:
    derivation (
      {
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [
          "-c"
          "echo > $out"
        ];
      }
      // attrs
    );
  floating =
    attrs:
    make (
      {
        __contentAddressed = true;
        outputHashMode = "nar";
        outputHashAlgo = "sha256";
      }
      // attrs
    );
  download =
    url:
    make {
      name = "download";
      inherit url;
      outputHashMode = "flat";
      outputHashAlgo = "sha256";
      outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    };
in
rec {
  plain = make { name = "plain"; };
  texts = make {
    name = "texts";
    quotes = "\"\\ \n\r\t \${x} '";
    unicode = "ünï→😀";
    "ä name" = "of a variable";
    "Zz" = "";
    "-" = "-";
    number = 42;
    yes = true;
    no = false;
    list = [
      "a"
      2
      null
    ];
    inherit source;
  };
  outputs = make {
    name = "outputs";
    outputs = [
      "out"
      "dev"
      "a"
    ];
  };
  usesOutputs = make {
    name = "uses-outputs";
    inherit (outputs) dev out;
    a = outputs.dev;
    p = plain;
    drv = plain.drvPath;
  };
  nar = make {
    name = "nar";
    outputHashMode = "recursive";
    outputHash = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
  };
  md5 = make {
    name = "md5";
    outputHashAlgo = "md5";
    outputHash = "d41d8cd98f00b204e9800998ecf8427e";
  };
  git = make {
    name = "git";
    outputHashMode = "git";
    outputHashAlgo = "sha1";
    outputHash = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  };
  # Two ways to the same fixed output: what uses it has the same path.
  viaHttp = make {
    name = "via";
    download = download "http://example.org/a";
  };
  viaFile = make {
    name = "via";
    download = download "file:///a";
  };
  structured = make {
    name = "structured";
    outputs = [
      "out"
      "dev"
    ];
    __structuredAttrs = true;
    float = 1.5;
    integer = -3;
    nothing = null;
    truth = true;
    text = "it's \"ü\"\n\t";
    list = [
      1
      "x y"
      [ ]
    ];
    set = {
      b = {
        c = 1.0;
      };
      a = 1.0e-7;
    };
    exportReferencesGraph.graph = [ source ];
    outputChecks.out.allowedReferences = [
      "dev"
      source
    ];
    outputChecks.dev = {
      maxSize = 1000;
      maxClosureSize = 2000;
      disallowedReferences = [ "out" ];
      disallowedRequisites = [ source ];
      allowedRequisites = [ ];
    };
    unsafeDiscardReferences.out = true;
    requiredSystemFeatures = [
      "kvm"
      "big-parallel"
    ];
  };
  options = make {
    name = "options";
    passAsFile = [
      "big"
      "list"
    ];
    big = "big";
    exportReferencesGraph = [
      "graph"
      source
      "other"
      plain
    ];
    allowedReferences = [
      "out"
      source
    ];
    disallowedReferences = [ plain ];
    allowedRequisites = [ ];
    disallowedRequisites = [ ];
    impureEnvVars = [
      "http_proxy"
      "A"
    ];
    requiredSystemFeatures = [ "kvm" ];
    __impureHostDeps = [ "/dev/x" ];
    __noChroot = true;
    preferLocalBuild = true;
    allowSubstitutes = false;
  };
  floatingNar = floating {
    name = "floating-nar";
    outputs = [
      "out"
      "dev"
    ];
  };
  floatingFlat = floating {
    name = "floating-flat";
    outputHashMode = "flat";
    outputHashAlgo = "sha1";
  };
  floatingText = floating {
    name = "floating-text.drv";
    outputHashMode = "text";
  };
  usesFloating = floating {
    name = "uses-floating";
    inherit floatingNar plain;
    inherit (floatingNar) dev;
  };
  deferred = make {
    name = "deferred";
    inherit floatingNar;
  };
  usesDeferred = make {
    name = "uses-deferred";
    inherit deferred;
  };
  impure = make {
    name = "impure";
    __impure = true;
    outputHashMode = "nar";
    outputHashAlgo = "sha256";
  };
  usesImpure = make {
    name = "uses-impure";
    inherit impure;
    __impure = true;
    outputHashMode = "nar";
    outputHashAlgo = "sha256";
  };
}
