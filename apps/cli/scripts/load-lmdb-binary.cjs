// Stands for `node-gyp-build-optional-packages` in the bundle: finds the binary of LMDB for this Node. Where the package of
// the platform has the usual one, that takes a tenth of the time; anything else is left to the original.
'use strict';
const { existsSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

module.exports = function loadLmdbBinary() {
  const { platform, arch, versions } = process;
  const library = require.resolve('lmdb');
  const requireFromLibrary = createRequire(library);
  const names = [`node.abi${versions.modules}.glibc.node`, 'node.napi.glibc.node'];
  if (platform === 'linux' && !existsSync(`/lib/ld-musl-${arch}.so.1`)) {
    for (const name of names) {
      try {
        return requireFromLibrary(`@lmdb/lmdb-${platform}-${arch}/${name}`);
      } catch {
        // The original says what is wrong.
      }
    }
  }
  return requireFromLibrary('node-gyp-build-optional-packages')(path.dirname(path.dirname(library)));
};
