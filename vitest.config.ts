import { defineConfig } from 'vitest/config';

/** One runner for the workspace; packages are read from their sources, not from `dist`. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['packages/*/{src,tests}/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    pool: 'threads',
    isolate: false,
    // Much of the time tests wait for processes.
    maxWorkers: '100%',
    // Several times what the slowest need, since other steps of CI run beside them.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
