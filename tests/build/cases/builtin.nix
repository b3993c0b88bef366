# Builders that are part of Nix.
{ tools, run, url, ... }:
let
  fetch = attributes: derivation ({
    system = "builtin";
    builder = "builtin:fetchurl";
    outputHashMode = "flat";
    preferLocalBuild = true;
  } // attributes);
  sri = builtins.convertHash { hash = builtins.hashString "sha256" "hello\n"; hashAlgo = "sha256"; toHashFormat = "sri"; };
  package = name: script: run name "mkdir $out; cd $out; ${script}" { };
  environment = name: packages: derivation {
    inherit name;
    system = "builtin";
    builder = "builtin:buildenv";
    derivations = builtins.concatMap ({ active ? true, priority ? 5, paths }: [ (if active then "true" else "false") priority (builtins.length paths) ] ++ paths) packages;
    manifest = builtins.toFile "manifest" "a manifest\n";
  };
  one = package "one" "mkdir -p bin share/doc lib/x; echo 1 > bin/one; echo 1 > bin/both; echo 1 > share/doc/one; echo 1 > lib/x/one";
  two = package "two" "mkdir -p bin share/doc; echo 2 > bin/two; echo 2 > bin/both; echo 2 > share/doc/two";
  three = package "three" "mkdir -p nix-support etc; echo ${one} > nix-support/propagated-user-env-packages; echo 3 > etc/three; ln -s three etc/link";
in
{
  fetchHttp = fetch { name = "fetch-http"; url = "${url}/hello.txt"; outputHash = sri; };
  fetchSha512 = fetch { name = "fetch-sha512"; url = "${url}/hello.txt"; outputHashAlgo = "sha512"; outputHash = builtins.hashString "sha512" "hello\n"; };
  fetchRedirected = fetch { name = "fetch-redirected"; url = "${url}/redirect/hello.txt"; outputHash = sri; };
  fetchExecutable = fetch { name = "fetch-executable"; url = "${url}/hello.txt"; executable = true; outputHashMode = "recursive"; outputHash = "sha256-ZUNgOdP5PKGajb8cYLFXOe1Y9T8UuNNyrMGzUVMwEPo="; };
  fetchUnpacked = fetch { name = "fetch-unpacked"; url = "${url}/tree.nar.xz"; unpack = true; outputHashMode = "recursive"; outputHash = "sha256-BIf3EU8yztRrqSk+KdynkEvpnyGCMCwyFN6NrhPkmvI="; };
  nixFetchurl = import <nix/fetchurl.nix> { url = "${url}/hello.txt"; hash = sri; name = "nix-fetchurl"; };
  nixFetchurlUnpacked = import <nix/fetchurl.nix> { url = "${url}/tree.nar.xz"; hash = "sha256-BIf3EU8yztRrqSk+KdynkEvpnyGCMCwyFN6NrhPkmvI="; unpack = true; name = "nix-fetchurl-unpacked"; };
  fetchUser = run "fetch-user" "cat ${fetch { name = "fetched"; url = "${url}/hello.txt"; outputHash = sri; }} > $out" { };

  environmentOne = environment "environment-one" [ { paths = [ one ]; } ];
  environmentPriority = environment "environment-priority" [ { paths = [ one ]; } { paths = [ two ]; priority = 4; } ];
  environmentPropagated = environment "environment-propagated" [ { paths = [ three ]; } ];
  environmentInactive = environment "environment-inactive" [ { paths = [ one ]; } { paths = [ two ]; active = false; } ];
  environmentEmpty = environment "environment-empty" [ ];

  unpackChannel = derivation {
    name = "unpack-channel";
    system = "builtin";
    builder = "builtin:unpack-channel";
    channelName = "channel";
    src = run "channel.tar.gz" "mkdir -p top/sub; echo 1 > top/default.nix; ln -s default.nix top/link; chmod +x top/default.nix; tar -czf $out top" { };
  };
}
