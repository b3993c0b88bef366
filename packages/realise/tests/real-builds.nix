# What real-builds.ts is of: derivations that Nix 2.34.8 built (in a sandbox, /bin/sh a static busybox), and what its
# database said afterwards. ./busybox is a folder with the program bin/busybox.
let
  busyboxFolder = builtins.path {
    path = ./busybox;
    name = "busybox";
  };
  bb = "${busyboxFolder}/bin/busybox";
  o = placeholder "out";
  make =
    attrs:
    derivation (
      {
        system = "x86_64-linux";
        builder = bb;
        args = [
          "sh"
          "-c"
          "bb=${bb}; ${attrs.cmd}"
        ];
      }
      // removeAttrs attrs [ "cmd" ]
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
  sh =
    attrs:
    derivation (
      {
        system = "x86_64-linux";
        builder = "/bin/sh";
      }
      // attrs
    );
in
rec {
  env = make {
    name = "env";
    cmd = "$bb env > $out";
    hello = "wörld\n\"x\\";
  };
  structured = make {
    name = "sa";
    __structuredAttrs = true;
    outputs = [
      "out"
      "dev"
    ];
    cmd = "$bb mkdir -p ${o} ${placeholder "dev"}; $bb cp $NIX_ATTRS_SH_FILE $NIX_ATTRS_JSON_FILE ${o}/; $bb env > ${o}/env; $bb ls -la > ${o}/ls";
    exportReferencesGraph.graph = [ busyboxFolder ];
    # And the attributes of structured-attrs.test.ts in @neve/nix-compat.
  };
  passAsFile = make {
    name = "pf";
    cmd = "$bb mkdir $out; $bb cp $aPath $out/a; $bb env > $out/env; $bb ls -a > $out/ls; $bb cp graph $out/";
    passAsFile = [
      "a"
      "nope"
    ];
    a = "xx ${o}";
    exportReferencesGraph = [
      "graph"
      busyboxFolder
    ];
  };
  a = floating {
    name = "a";
    outputs = [
      "out"
      "dev"
    ];
    cmd = "$bb mkdir $out; echo $dev $out x > $out/f; $bb ln -s $out/f $out/l; echo $bb > $dev; ";
  };
  b = floating {
    name = "b";
    cmd = "$bb mkdir $out; echo ${a} $out ${a.dev} > $out/g";
  };
  c = derivation {
    name = "c";
    system = "x86_64-linux";
    builder = bb;
    args = [
      "sh"
      "-c"
      "echo ${b} ${a} $out > $out"
    ];
  };
  text = floating {
    name = "t";
    outputHashMode = "text";
    cmd = "echo hi ${bb} > $out";
  };
  flat = floating {
    name = "fl";
    outputHashMode = "flat";
    outputHashAlgo = "sha1";
    cmd = "echo hi > $out";
  };
  git = floating {
    name = "g";
    outputHashMode = "git";
    outputHashAlgo = "sha1";
    cmd = "$bb mkdir -p $out/d $out/e; echo hi > $out/d.x; echo x > $out/d/y; $bb chmod +x $out/d/y;  $bb ln -s foo $out/e/s";
  };
  impure = make {
    name = "imp";
    __impure = true;
    outputHashMode = "nar";
    outputHashAlgo = "sha256";
    cmd = "echo hi > $out";
  };
  mismatch = sh {
    name = "bad";
    args = [
      "-c"
      "echo hello > $out"
    ];
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    url = "http://example.org/x";
  };
  narReference = sh {
    name = "narref";
    src = builtins.toFile "x" "y";
    args = [
      "-c"
      "echo $src > $out"
    ];
    outputHashMode = "nar";
    outputHashAlgo = "sha256";
    outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  };
}
