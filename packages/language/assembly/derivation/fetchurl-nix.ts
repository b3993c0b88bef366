// The source of `<nix/fetchurl.nix>`: what makes a derivation that downloads a file without any program but Nix itself.

/** ASCII. */
export const FETCHURL_SOURCE: string = `# \`fetchurl\`: a derivation that makes the builtin builder download a file.
{
  system ? "",
  url,
  # The hash: an SRI, or one of the others.
  hash ? "",
  md5 ? "",
  sha1 ? "",
  sha256 ? "",
  sha512 ? "",
  outputHash ? if hash != "" then hash else if sha512 != "" then sha512 else if sha1 != "" then sha1 else if md5 != "" then md5 else sha256,
  outputHashAlgo ? if hash != "" then "" else if sha512 != "" then "sha512" else if sha1 != "" then "sha1" else if md5 != "" then "md5" else "sha256",
  executable ? false,
  unpack ? false,
  name ? baseNameOf (toString url),
  impure ? false,
}:

derivation (
  {
    builder = "builtin:fetchurl";
    # What is executable or unpacked is hashed as an archive.
    outputHashMode = if unpack || executable then "recursive" else "flat";
    inherit name url executable unpack;
    system = "builtin";
    # A download gains nothing from another machine.
    preferLocalBuild = true;
    # Proxies are taken from the environment.
    impureEnvVars = [
      "http_proxy"
      "https_proxy"
      "ftp_proxy"
      "all_proxy"
      "no_proxy"
    ];
    # What to show of the download elsewhere.
    urls = [ url ];
  }
  // (if impure then { __impure = true; } else { inherit outputHashAlgo outputHash; })
)
`;
