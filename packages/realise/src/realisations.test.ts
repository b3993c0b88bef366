import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Digest } from '@neve/bytes';
import { LmdbEnvironment } from '@neve/castore/node';
import { parseStorePath } from '@neve/nix-compat';
import type { Realisation, Realisations } from '@neve/realise';
import { memoryRealisations, printRealisationId } from '@neve/realise';
import { lmdbRealisations } from '@neve/realise/node';

const derivationHash = new Digest('sha256', new Uint8Array(32).fill(1));
const out: Realisation = {
  id: { derivationHash, output: 'out' },
  path: parseStorePath('71fc7s32zl20dc955bhghy5dvalm7ndz-a'),
  signatures: [
    { keyName: 'key-1', bytes: new Uint8Array(64).fill(2) },
    { keyName: 'key-2', bytes: new Uint8Array(64).fill(3) },
  ],
};
const dev: Realisation = {
  id: { derivationHash, output: 'dev' },
  path: parseStorePath('ycz5617l9ac3gg82h4pyvsm21my2f84w-a-dev'),
  signatures: [],
};

async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'neve-realisations-'));
  try {
    await action(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function check(realisations: Realisations): Promise<void> {
  expect(await realisations.get(out.id)).toBeUndefined();
  await realisations.put([out, dev]);
  expect(await realisations.get(out.id)).toEqual(out);
  expect(await realisations.get(dev.id)).toEqual(dev);
  await realisations.put([{ ...out, path: dev.path }]);
  expect((await realisations.get(out.id))?.path).toEqual(dev.path);
}

describe('realisations', () => {
  test('in memory', async () => {
    await using realisations = memoryRealisations();
    await check(realisations);
  });

  test('in LMDB, which keeps them', async () => {
    await inFolder(async (folder) => {
      {
        await using realisations = await lmdbRealisations(folder);
        await check(realisations);
      }
      await using again = await lmdbRealisations(folder);
      expect(await again.get(dev.id)).toEqual(dev);
    });
  });

  test('that are damaged are told', async () => {
    await inFolder(async (folder) => {
      await using realisations = await lmdbRealisations(folder);
      await realisations.put([out]);
      await using environment = await LmdbEnvironment.open(folder);
      await environment.write(() =>
        environment.table('realisations').put(Buffer.from(printRealisationId(out.id)), Buffer.from('x')),
      );
      await expect(realisations.get(out.id)).rejects.toMatchObject({ code: 'corrupt' });
    });
  });
});

test('the name of a build trace is that of Nix', () => {
  expect(printRealisationId(out.id)).toBe(`sha256:${'01'.repeat(32)}!out`);
});
