import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/**
 * unit: pure functions, no process and no model. integration: real engines, llama.cpp and SQLite, straight from the sources.
 * browser: the built app in Chromium.
 */
export default defineConfig({
  test: {
    // Two cores are all that CI has, and an integration test runs an engine process of its own.
    maxWorkers: 2,
    projects: [
      {
        plugins: [svelte()],
        // Components run as in the window, not as on a server.
        resolve: { conditions: ['browser'] },
        // A machine that is busy with something else makes no test fail.
        test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          globalSetup: ['tests/browser/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
