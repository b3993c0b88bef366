// The source of `<nix/fetchurl.nix>`: what makes a derivation that downloads a file without any program but Nix itself.

/** ASCII. */
export const FETCHURL_SOURCE: string = `# \`fetchurl\`: a derivation that lets Nix itself download a file.
{
  url,
  name ? baseNameOf (toString url),
  # Of the hashes the first that is given counts: the SRI, then the others in this order.
  hash ? "",
  sha512 ? "",
  sha1 ? "",
  md5 ? "",
  sha256 ? "",
  outputHash ? null,
  outputHashAlgo ? null,
  # What is executable or unpacked is hashed as an archive.
  executable ? false,
  unpack ? false,
  impure ? false,
  # Old callers name a system: it makes no difference.
  system ? "",
}:

let
  isGiven = candidate: candidate.value != "";
  candidates = [
    { algo = ""; value = hash; }
    { algo = "sha512"; value = sha512; }
    { algo = "sha1"; value = sha1; }
    { algo = "md5"; value = md5; }
  ];
  chosen = builtins.head (builtins.filter isGiven candidates ++ [ { algo = "sha256"; value = sha256; } ]);

  contents =
    if impure then
      { __impure = true; }
    else
      {
        outputHash = if outputHash == null then chosen.value else outputHash;
        outputHashAlgo = if outputHashAlgo == null then chosen.algo else outputHashAlgo;
      };
in
derivation (contents // {
  inherit executable name unpack url;
  urls = [ url ];
  builder = "builtin:fetchurl";
  system = "builtin";
  outputHashMode = if executable || unpack then "recursive" else "flat";
  preferLocalBuild = true;
  # Part of every path that was ever made so.
  impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
})
`;
