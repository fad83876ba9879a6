import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import svelte from 'eslint-plugin-svelte';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Dependencies point one way (docs/ARCHITECTURE.md). Each zone: a folder, and what may not be imported from there. */
const zones = [
  {
    target: './src/shared',
    from: './src',
    except: ['./shared'],
    message: 'What is shared imports nothing of either side.',
  },
  {
    target: './src/renderer',
    from: './src',
    except: ['./renderer', './shared'],
    message: 'The renderer reaches main only through the contract.',
  },
  {
    target: './src/preload',
    from: './src',
    except: ['./preload', './shared'],
    message: 'The preload script hands over a port and knows nothing else.',
  },
  {
    target: './src/main',
    from: ['./src/renderer', './src/preload'],
    message: 'Main knows no page.',
  },
  {
    target: ['./src/main/weights/formats', './src/main/storage'],
    from: './src/main',
    except: ['./weights/formats', './storage'],
    message: 'Formats and storage import nothing of ours above them.',
  },
  {
    target: './src/main/inference',
    from: './src/main/!(inference|engine|weights|storage)/**/*',
    message: 'Engine code never imports services.',
  },
  {
    target: './src/main/training',
    // The template and the tokenizer are those of the chat, so that a model learns what it will read.
    from: './src/main/!(training|ggml|inference|datasets|engine|weights|storage)/**/*',
    message: 'Engine code never imports services.',
  },
  {
    target: './src/main/dataset-engine',
    // Lengths and masks are those of training.
    from: './src/main/!(dataset-engine|datasets|training|ggml|inference|engine|weights|storage)/**/*',
    message: 'Engine code never imports services.',
  },
  {
    target: './src/main/machine-engine',
    // Models are loaded as for the chat.
    from: './src/main/!(machine-engine|ggml|inference|engine|weights|storage)/**/*',
    message: 'Engine code never imports services.',
  },
  {
    target: ['./src/main/weights/!(formats)/**/*', './src/main/weights/*.ts'],
    from: './src/main/!(weights|ggml|engine|storage)/**/*',
    message: 'Engine code never imports services.',
  },
  {
    target: './src/main/training/autodiff',
    from: './src/main',
    except: ['./training/autodiff', './ggml'],
    message: 'Differentiation knows nothing of language models.',
  },
  {
    target: './src/main/ggml',
    from: './src/main',
    except: ['./ggml', './weights/formats'],
    message: 'The binding knows nothing of what is computed with it.',
  },
  {
    target: './src/main/!(commands|electron|web|rpc)/**/*',
    from: [
      './src/main/rpc',
      './src/main/web',
      './src/main/electron',
      './src/main/commands',
      './src/main/app.ts',
      './src/main/index.ts',
      './src/main/serve.ts',
      './src/main/cli.ts',
    ],
    message: 'Services know neither the app nor its shells.',
  },
  {
    target: './src/main/app.ts',
    from: [
      './src/main/web',
      './src/main/electron',
      './src/main/commands',
      './src/main/index.ts',
      './src/main/serve.ts',
      './src/main/cli.ts',
    ],
    message: 'The app knows neither Electron nor HTTP.',
  },
];

export default defineConfig(
  globalIgnores(['out/', 'coverage/', 'tests/fixtures/']),
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  prettier,
  svelte.configs.prettier,
  {
    plugins: { 'import-x': importX },
    languageOptions: { globals: globals.node },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      // TypeScript itself knows undefined names.
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      // What is only held until the end of its block has done its work.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreUsingDeclarations: true }],
    },
    settings: { 'import-x/resolver-next': [createNodeResolver()] },
  },
  {
    files: ['src/**/*.ts', 'tests/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    ignores: ['**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.node.json', './tsconfig.preload.json', './tsconfig.web.json'] },
    },
    rules: {
      // A promise that nobody waits for loses its error, and with it what it should have saved.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['src/renderer/**', 'src/preload/**'],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
);
