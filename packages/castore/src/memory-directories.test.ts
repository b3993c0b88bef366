import { describe, test } from 'vitest';
import { memoryDirectories } from './memory-directories.ts';
import { directoryCompliance } from './testing/directory-compliance.ts';

describe('directories in memory', () => {
  for (const { name, run } of directoryCompliance) {
    test(name, () => run(async () => memoryDirectories(), { gets: 'any', puts: 'any' }));
  }
});
