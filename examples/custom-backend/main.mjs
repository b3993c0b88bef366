// Tries the service: first the suite that every blob service must pass, then as a part of a composition, where it is as good as
// those that come with Neve.
// @ts-check

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobKind } from '@neve/castore';
import { registerCastoreServices } from '@neve/castore/node';
import { blobCompliance } from '@neve/castore/testing';
import { Composition, Registry, option, optionsFromUrl, parseComposition } from '@neve/compose';
import { openGzipBlobs } from './gzip-blobs.mjs';

const folder = await mkdtemp(join(tmpdir(), 'gzip-blobs-'));
try {
  let count = 0;
  for (const check of blobCompliance) {
    const own = join(folder, `case-${++count}`);
    await check.run(() => openGzipBlobs(own), { splits: false, outboards: false });
  }
  console.log(`${count} checks of the compliance suite passed`);

  const registry = new Registry();
  registerCastoreServices(registry);
  registry.register({
    kind: blobKind,
    type: 'gzip',
    description: 'Blobs as gzip files in a folder',
    options: { path: option.path() },
    fromUrl: (url) => optionsFromUrl(url, { path: 'path' }),
    build: ({ path }) => openGzipBlobs(path),
  });
  const text = `
[blobservices]
disk = "gzip:${join(folder, 'blobs')}"

[blobservices.root]
type = "cache"
near = "memory:"
far = "&disk"
`;
  const composition = new Composition(parseComposition(text, 'example.toml', registry));
  try {
    const blobs = await composition.get(blobKind);
    const digest = await blobs.put(new TextEncoder().encode('snow '.repeat(1000)));
    if (!(await blobs.has(digest))) throw new Error('what was put is not there');
    console.log(`${(await readdir(join(folder, 'blobs'))).length} file in the folder`);
  } finally {
    await composition[Symbol.asyncDispose]();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
