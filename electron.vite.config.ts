import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';
import { resolve } from 'node:path';
import { ThirdParty } from './scripts/third-party/plugin.ts';

/**
 * One output file per process, all in `out/main`. What is in package.json's dependencies stays outside of them: native packages, and
 * those that are large or seldom needed. All others are devDependencies and become part of the output, which starts in two thirds of
 * the time, for hundreds of files fewer are looked for and read.
 */
const mainEntries = {
  index: 'src/main/index.ts',
  cli: 'src/main/cli.ts',
  'dataset-engine': 'src/main/dataset-engine/engine.ts',
  'inference-engine': 'src/main/inference/engine.ts',
  'machine-engine': 'src/main/machine-engine/engine.ts',
  'training-engine': 'src/main/training/engine.ts',
  'weights-engine': 'src/main/weights/engine.ts',
};

const thirdParty = new ThirdParty(import.meta.dirname);

export default defineConfig({
  main: {
    plugins: [thirdParty.plugin()],
    build: {
      rollupOptions: {
        input: mainEntries,
        // Beside the entries: code that asks where it lies (for the renderer's folder, for an engine's entry) need not
        // know whether it was bundled into an entry or into a chunk that several share.
        output: { chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    plugins: [thirdParty.plugin()],
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
    // The page is built last.
    plugins: [svelte({ configFile: resolve('svelte.config.js') }), thirdParty.plugin({ emits: true })],
    build: {
      rollupOptions: {
        input: 'src/renderer/index.html',
        // How long plugins took belongs to whoever asks, not to everyone who starts Puna.
        checks: { pluginTimings: false },
      },
      // In kB. The page is loaded from this machine, where one larger file is quicker than many.
      chunkSizeWarningLimit: 3000,
      // The browser shell shows the same build in whatever browser a person has, and over a tunnel.
      target: 'es2022',
      minify: true,
      // Fonts and pictures are files of their own: the content security policy allows no fonts from data: addresses.
      assetsInlineLimit: 0,
    },
  },
});
