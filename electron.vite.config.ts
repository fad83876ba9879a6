import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';

/** The main process and everything that it forks: one output file per process, all in `out/main`. */
const mainEntries = {
  index: 'src/main/index.ts',
  serve: 'src/main/serve.ts',
  cli: 'src/main/cli.ts',
  'inference-engine': 'src/main/inference/engine.ts',
};

export default defineConfig({
  main: {
    build: { rollupOptions: { input: mainEntries } },
  },
  preload: {
    build: {
      rollupOptions: {
        input: { index: 'src/preload/index.ts' },
        // A sandboxed preload script must be CommonJS.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    plugins: [svelte()],
    build: { rollupOptions: { input: 'src/renderer/index.html' } },
  },
});
