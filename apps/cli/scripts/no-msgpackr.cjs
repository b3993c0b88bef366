// Stands for `msgpackr` in the bundle. LMDB uses it for tables of objects; those of Neve have bytes, and it takes as long to
// load as everything else together.
'use strict';

exports.Encoder = function Encoder() {
  throw new Error('tables of LMDB have bytes only: open them with the encoding "binary"');
};
