// What a command costs its client with the daemon and without it, in pairs, and how long many clients at once take.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from '../../build-command/build-command.mjs';
import { Place } from '../../daemon/daemon-process.mjs';

const rounds = 10;
const folder = mkdtempSync('/dev/shm/neve-daemon-bench-');
const place = new Place(folder);
const daemon = await place.daemon();
try {
  const heavy = 'let f = n: if n < 2 then n else f (n - 1) + f (n - 2); in f 22';
  for (const [name, words] of /** @type {const} */ ([
    ['eval 1', ['eval', '--expr', '1']],
    ['eval fib 22', ['eval', '--expr', heavy]],
    ['eval with IFD, built before', ['eval', '-f', packages, 'imported']],
    ['build, built before', ['build', packages, '-A', 'three', '--no-link']],
    ['explain', ['explain', packages, '-A', 'three']],
    ['log', ['log', packages, '-A', 'one']],
  ])) {
    const times = { alone: Infinity, served: Infinity };
    await once(words, '1');
    for (let round = 0; round < rounds; round++) {
      times.alone = Math.min(times.alone, await once(words, '0'));
      times.served = Math.min(times.served, await once(words, '1'));
    }
    const ratio = (times.alone / times.served).toFixed(2);
    console.log(
      `${name}: ${times.alone.toFixed(0)} ms alone, ${times.served.toFixed(0)} ms by the daemon, ${ratio}×`,
    );
  }
  for (const variable of ['0', '1']) {
    const start = performance.now();
    const words = ['build', packages, '-A', 'three', '--no-link'];
    await Promise.all(Array.from({ length: 20 }, () => once(words, variable)));
    const how = variable === '0' ? 'alone' : 'by the daemon';
    console.log(`20 clients at once, ${how}: ${(performance.now() - start).toFixed(0)} ms`);
  }
} finally {
  await daemon.end();
  rmSync(join(folder), { recursive: true });
}

/** @param {readonly string[]} words @param {string} variable */
async function once(words, variable) {
  const start = performance.now();
  const { code, stderr } = await place.run(words, { env: { NEVE_DAEMON: variable } });
  if (code !== 0) throw new Error(stderr);
  return performance.now() - start;
}
