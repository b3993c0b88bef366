#!/usr/bin/env bash
# Puts a recent real Nix under a folder, to compare Neve with: `bash scripts/oracle-nix.sh [FOLDER] [SUITE]`.
#
# FOLDER defaults to .oracle in the repository, SUITE to Debian's `sid`. Afterwards FOLDER/bin has `nix` and the
# classic commands. The packages of the suite are unpacked, not installed: they bring their own C library, so they run
# beside whatever the host has. Needs root, apt, and a Debian mirror among the host's apt sources; installs patchelf.
# Use Nix with NIX_STATE_DIR and NIX_CONF_DIR of its own.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$here/.oracle}
suite=${2:-sid}

if [[ -x $folder/bin/nix ]]; then
  "$folder/bin/nix" --version
  exit 0
fi
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$folder/download
trap 'rm -rf "$work"' EXIT

if ! command -v patchelf >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq patchelf >/dev/null
fi

# The mirror that the host uses, from either of the two forms of apt sources.
find_mirror() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [[ -f $file ]] && sed -nE \
      -e 's#^URIs:[[:space:]]*([^[:space:]]+/debian)/?([[:space:]].*)?$#\1#p' \
      -e 's#^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+/debian)/?[[:space:]].*#\2#p' "$file"
  done | sed -n 1p
}
mirror=$(find_mirror)
if [[ -z $mirror ]]; then
  echo "oracle-nix: no Debian mirror among the apt sources" >&2
  exit 1
fi

# An apt of its own, as if nothing were installed, so that every dependency is downloaded too.
mkdir -p "$work"/{lists,archives}/partial
: >"$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources.list"
apt_own() {
  apt-get -qq -y \
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" \
    -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Check-Valid-Until=false "$@"
}
apt_own update
apt_own --download-only install nix-bin >/dev/null

# One tree of all packages, with /bin, /lib and the rest merged into /usr.
tree=$folder/root
mkdir -p "$tree"/usr/{bin,sbin,lib,lib64}
for name in bin sbin lib lib64; do ln -sfn "usr/$name" "$tree/$name"; done
for package in "$work"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$tree" --keep-directory-symlink
done

# The programs load their libraries from that tree, and with them its loader.
machine=$(uname -m)
libraries=$tree/usr/lib/$machine-linux-gnu
loader=$(find "$tree/usr" -name 'ld-linux-*.so.*' | sed -n 1p)
search=$libraries:$libraries/nix
mkdir -p "$folder/bin"
cp "$tree/usr/bin/nix" "$folder/bin/nix"
patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$search" "$folder/bin/nix"
for library in "$libraries"/libnix*.so* "$libraries"/nix/*.so*; do
  [[ -f $library && ! -L $library ]] || continue
  patchelf --force-rpath --set-rpath "$search" "$library" 2>/dev/null || true
done
for name in nix-{build,collect-garbage,copy-closure,daemon,env,hash,instantiate,prefetch-url,shell,store}; do
  ln -sfn nix "$folder/bin/$name"
done
"$folder/bin/nix" --version
