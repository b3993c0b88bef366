// A process that puts and finds entries in an image folder until it is killed or its time is over: the folder, the seed, and
// for how many ms. What it finds must be whole. Prints how much it did, and exits with 1 if something was wrong.

import { loadEvaluator } from '../lib/load-evaluator.mjs';
import { Random } from '../lib/random.mjs';

const [path = '', seed = '1', forMs = '1000'] = process.argv.slice(2);
const { ImageFolder } = await loadEvaluator();
const folder = new ImageFolder({ path, maxBytes: 3 << 20 });
const random = new Random(Number(seed));
const endMs = Date.now() + Number(forMs);
const seen = { put: 0, found: 0, wrong: 0 };

while (Date.now() < endMs) {
  const name = { kind: 'image', key: `key ${random.below(8)}` };
  if (random.oneIn(2)) {
    const fill = random.below(256);
    const words = random.below(100_000);
    const reads = new Uint8Array(random.below(9)).fill(fill);
    const ok = folder.put({
      ...name,
      info: { fill, words },
      reads,
      payload: [new Uint8Array(words * 4).fill(fill)],
    });
    if (ok) seen.put++;
    else complain(`it could not be put: ${folder.problem}`);
    continue;
  }
  if (random.oneIn(20)) folder.remove(name);
  const entry = folder.find(name);
  if (entry === undefined) continue;
  const info = /** @type {{ fill: number, words: number }} */ (entry.info);
  const payload = entry.payload();
  const isWhole = payload?.length === info.words * 4 && payload.every((byte) => byte === info.fill);
  if (isWhole && entry.reads.every((byte) => byte === info.fill)) seen.found++;
  else complain(`${name.key} is not what was put`);
  entry[Symbol.dispose]();
}
console.log(JSON.stringify(seen));
process.exitCode = seen.wrong === 0 && seen.put > 0 && seen.found > 0 ? 0 : 1;

/** @param {string} what */
function complain(what) {
  seen.wrong++;
  console.error(what);
}
