import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { importX } from 'eslint-plugin-import-x';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Dependencies point one way (docs/ARCHITECTURE.md). Each zone: the folder, and what it may not import. */
const zones = [
  { target: 'src/shared', from: 'src', except: ['./shared'], message: 'shared imports nothing of ours.' },
  {
    target: 'src/renderer',
    from: 'src',
    except: ['./renderer', './shared'],
    message: 'The renderer reaches main only through the contract.',
  },
  { target: 'src/preload', from: 'src', except: ['./preload', './shared'] },
  { target: 'src/main', from: ['src/renderer', 'src/preload'] },
  {
    target: ['src/main/weights/formats', 'src/main/storage'],
    from: 'src/main',
    except: ['./weights/formats', './storage'],
    message: 'Formats and storage import nothing of ours above them.',
  },
  {
    target: 'src/main/inference',
    from: ['src/main/chat', 'src/main/history', 'src/main/library', 'src/main/rpc', 'src/main/app.ts'],
    message: 'Engine code never imports services.',
  },
  {
    target: ['src/main/history', 'src/main/library', 'src/main/chat', 'src/main/engine'],
    from: ['src/main/rpc', 'src/main/app.ts', 'src/main/index.ts', 'src/main/serve.ts', 'src/main/cli.ts'],
    message: 'Services do not know the app or the shells.',
  },
  {
    target: 'src/main/app.ts',
    from: ['src/main/index.ts', 'src/main/serve.ts', 'src/main/cli.ts', 'src/main/electron'],
    message: 'The app knows neither Electron nor HTTP.',
  },
];

export default ts.config(
  { ignores: ['out/', 'node_modules/', 'tests/fixtures/', 'coverage/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  prettier,
  ...svelte.configs.prettier,
  {
    plugins: { 'import-x': importX },
    languageOptions: { globals: { ...globals.node } },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      // TypeScript itself knows undefined names.
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
    settings: { 'import-x/resolver': { node: { extensions: ['.ts', '.js', '.svelte'] } } },
  },
  {
    files: ['src/renderer/**'],
    languageOptions: { globals: { ...globals.browser } },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
);
