import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import { buildServiceCases } from '../testing/index.ts';
import { removeAnyTree } from './build-folders.ts';
import { hostSystems } from './host.ts';
import { type LocalBuilder, localBuilder } from './local-builder.ts';
import { sandboxNames } from './sandbox/choose-sandbox.ts';

const [system = ''] = hostSystems();

for (const sandbox of sandboxNames) {
  describe(`${sandbox} as ${process.getuid?.() === 0 ? 'root' : 'an ordinary user'}`, () => {
    const blobs = memoryBlobs();
    const directories = memoryDirectories();
    let folder: string;
    let service: LocalBuilder;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'neve-build-'));
      service = await localBuilder({ folder, blobs, directories, sandbox });
    });

    afterAll(async () => {
      await service[Symbol.asyncDispose]();
      if (existsSync(folder)) await removeAnyTree(folder);
    });

    const traits = { system, saysSignal: sandbox === 'unshare', observes: true };
    for (const complianceCase of buildServiceCases) {
      test(complianceCase.name, async () => {
        await complianceCase.run({ service, blobs, directories, traits });
        const left = readdirSync(join(folder, 'builds'));
        if (left.length > 0) throw new Error(`folders of builds are left: ${left.join(' ')}`);
      });
    }
  });
}
