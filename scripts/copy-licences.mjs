// Puts the licences into the package that is being packed, since npm takes files from its folder only: the `prepack` of every
// package. The copies are not committed.

import { copyFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

for (const name of readdirSync(root)) {
  if (name.startsWith('LICENSE')) copyFileSync(join(root, name), join(process.cwd(), name));
}
