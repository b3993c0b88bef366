// What a file has is known because it was written here.
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPageCache } from './page-cache.ts';

test.each([tmpdir(), '/dev/shm'].filter((it) => existsSync(it)))(
  'what was just written to %s',
  async (parent) => {
    const folder = mkdtempSync(join(parent, 'neve-page-cache-'));
    const path = join(folder, 'file');
    writeFileSync(path, Buffer.from('0123456789'));
    const file = openSync(path, 'r');
    try {
      const cache = await openPageCache(folder);
      if (process.platform === 'linux') expect(cache).toBeDefined();
      const read = (length: number, position: number): string | undefined => {
        const buffer = new Uint8Array(length);
        const count = cache?.read(file, buffer, position);
        return count === undefined ? undefined : Buffer.from(buffer.subarray(0, count)).toString();
      };
      // Not every file system can say what is in memory.
      for (const [found, expected] of [
        [read(4, 3), '3456'],
        [read(100, 8), '89'],
        [read(5, 10), ''],
      ]) {
        expect([expected, undefined]).toContain(found);
      }
    } finally {
      closeSync(file);
      rmSync(folder, { recursive: true });
    }
  },
);
