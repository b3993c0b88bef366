#!/usr/bin/env node
// Starts the bundle. It is committed so that npm can link `neve` before anything is built.
'use strict';

try {
  require('../dist/neve.cjs');
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND' || !String(error.message).includes('dist/neve.cjs')) throw error;
  process.stderr.write('neve: not built yet; run `npm run build` in the root of the repository\n');
  process.exitCode = 1;
}
