# What is found in outputs, and what is not.
{ bb, tools, run, runStructured, ... }:
let
  a = run "ref-a" "echo a > $out" { };
  b = run "ref-b" "echo ${a} > $out" { };
  hashPart = path: builtins.substring 11 32 "${path}";
in
{
  inContents = run "in-contents" "echo ${a} ${bb} > $out" { };
  notMentioned = run "not-mentioned" "echo nothing > $out" { inherit a b; };
  hashOnly = run "hash-only" "echo ${hashPart a} > $out" { };
  upperCase = run "upper-case" "echo ${hashPart a} | tr a-z A-Z > $out" { };
  split = run "split" "printf '%s\\n%s' $(echo ${hashPart a} | cut -c 1-16) $(echo ${hashPart a} | cut -c 17-32) > $out" { };
  inLink = run "in-link" "ln -s ${b}/x $out" { };
  inFileName = run "in-file-name" "mkdir $out; touch $out/${hashPart a}-name" { };
  inFolderName = run "in-folder-name" "mkdir -p $out/x${hashPart a}" { };
  indirect = run "indirect" "echo ${b} > $out" { };
  self = run "self" "mkdir $out; echo $out > $out/self; ln -s $out/self $out/link" { };
  selfByLink = run "self-by-link" "ln -s $out $out" { };
  compressed = run "compressed" "echo ${a} | gzip -n > $out" { };

  atBoundaries = run "at-boundaries" ''
    mkdir $out
    for at in 4080 8170 16370 32752 65510 65530 131060 262130 1048560; do
      head -c $at /dev/zero > $out/$at; printf %s ${a} >> $out/$at; head -c 100 /dev/zero >> $out/$at
    done
  '' { };

  lateInBigFile = run "late-in-big-file" "head -c 20000003 /dev/zero > $out; printf %s ${b} >> $out" { };
  overlapping = run "overlapping" "printf %s ${builtins.substring 0 43 "${a}"}${hashPart b}${hashPart a} > $out" { };

  outputs = run "outputs" ''
    mkdir $out $dev; echo $dev > $out/dev; echo ${a} > $dev/a; echo $out > $doc
  '' { outputs = [ "out" "dev" "doc" ]; };

  outputsUnused = run "outputs-unused" "for it in $zz $out $man; do echo $it > $it; done" { outputs = [ "zz" "out" "man" ]; };
  firstIsNotOut = run "first-is-not-out" "echo lib > $lib; echo $lib > $bin" { outputs = [ "bin" "lib" ]; };
  userOfOutput =
    let it = run "used" "echo ${a} > $out; mkdir $dev; echo dev > $dev/file" { outputs = [ "out" "dev" ]; };
    in run "user-of-output" "cat ${it.dev}/file > $out; echo ${it.dev} >> $out" { };

  discarded = runStructured "discarded" ''
    echo ${a} $out > $out; echo ${a} > $dev
  '' { unsafeDiscardReferences.out = true; outputs = [ "out" "dev" ]; };

  derivationFile = run "derivation-file" "echo ${a.drvPath} > $out; cp ${a.drvPath} copy" { };
  toFile = run "to-file" "cat ${builtins.toFile "text" "refers to ${builtins.toFile "other" "text"}"} > $out" { };
  sourceTree = run "source-tree" "cp -r ${../cases} tree; ls tree > $out; echo ${../cases} >> $out" { };
  filteredSource = run "filtered-source" "ls ${builtins.filterSource (path: type: baseNameOf path != "failing.nix") ../cases} > $out" { };
}
