# A graph of small builds that give the same whenever and wherever they run: what `chaos.mjs` disturbs.
{ busybox, salt }:
let
  bb = builtins.path { path = busybox; name = "busybox"; };
  run = name: script: attributes: derivation ({
    inherit name salt;
    system = builtins.currentSystem;
    builder = "${bb}/busybox";
    args = [ "sh" "-e" "-c" "bb=${bb}/busybox; ${script}" ];
  } // attributes);
  leaf = index: run "leaf-${toString index}" ''
    $bb mkdir $out; for i in $($bb seq 40); do echo ${toString index} $i $salt > $out/$i; done; $bb sleep 0.1
  '' { };
  leaves = builtins.genList leaf 6;
  big = run "big" "$bb yes \"$salt ${toString leaves}\" | $bb head -c 8000000 > $out" { };
  outputs = run "outputs" "$bb mkdir $out; echo $dev > $out/dev; $bb cp -r ${builtins.head leaves} $dev; echo $doc > $doc" { outputs = [ "out" "dev" "doc" ]; };
  floating = run "floating" "$bb cat ${builtins.elemAt leaves 1}/1 > $out" { __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
  fixed = run "fixed" "$bb sleep 0.1; echo hello > $out" { outputHash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="; };
  daemon = run "daemon" "$bb sleep 1000 & $bb sleep 1001 & echo ${big} > $out" { };
in
run "all" "$bb mkdir $out; for it in $inputs; do $bb ln -s $it $out/; done; echo $out > $out/self" {
  inputs = leaves ++ [ big outputs outputs.dev floating fixed daemon ];
}
