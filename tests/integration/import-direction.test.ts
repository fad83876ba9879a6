import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';

// The lint rule itself: dependencies point one way (docs/ARCHITECTURE.md).
const rule = 'import-x/no-restricted-paths';
const eslint = new ESLint({
  ruleFilter: ({ ruleId }) => ruleId === rule,
  // The rule needs no types, and reading them takes seconds.
  overrideConfig: { languageOptions: { parserOptions: { project: null } } },
});

async function complaints(file: string, imported: string): Promise<string[]> {
  const [result] = await eslint.lintText(`import '${imported}';\n`, { filePath: file });
  return (result?.messages ?? []).filter(({ ruleId }) => ruleId === rule).map(({ message }) => message);
}

describe('An import against the direction is refused:', () => {
  test.each([
    ['src/shared/error.ts', '../main/app.ts'],
    ['src/shared/error.ts', '../renderer/main.ts'],
    ['src/renderer/main.ts', '../main/app.ts'],
    ['src/preload/index.ts', '../main/app.ts'],
    ['src/main/app.ts', '../renderer/main.ts'],
    ['src/main/app.ts', './web/server.ts'],
    ['src/main/app.ts', './electron/window.ts'],
    ['src/main/app.ts', './cli.ts'],
    ['src/main/chat/chat.ts', '../app.ts'],
    ['src/main/chat/chat.ts', '../rpc/router.ts'],
    ['src/main/history/history.ts', '../web/gate.ts'],
    ['src/main/engine/engine.ts', '../electron/window.ts'],
    ['src/main/inference/engine.ts', '../chat/index.ts'],
    ['src/main/inference/engine.ts', '../history/index.ts'],
    ['src/main/inference/engine.ts', '../app.ts'],
    ['src/main/training/run.ts', '../runs/index.ts'],
    ['src/main/dataset-engine/engine.ts', '../collection/index.ts'],
    ['src/main/dataset-engine/engine.ts', '../history/index.ts'],
    ['src/main/training/autodiff/tape.ts', '../models/index.ts'],
    ['src/main/ggml/graph.ts', '../training/trainer.ts'],
    ['src/main/weights/inspect.ts', '../library/index.ts'],
    ['src/main/weights/formats/gguf.ts', '../../history/index.ts'],
    ['src/main/storage/paths.ts', '../library/index.ts'],
  ])('%s of %s', async (file, imported) => {
    expect(await complaints(file, imported)).toHaveLength(1);
  });
});

describe('An import along the direction is allowed:', () => {
  test.each([
    ['src/main/app.ts', './chat/index.ts'],
    ['src/main/app.ts', './rpc/router.ts'],
    ['src/main/serve.ts', './web/server.ts'],
    ['src/main/index.ts', './electron/window.ts'],
    ['src/main/chat/chat.ts', '../history/index.ts'],
    ['src/main/chat/chat.ts', '../../shared/error.ts'],
    ['src/main/inference/engine.ts', '../engine/messages.ts'],
    ['src/main/inference/engine.ts', '../weights/formats/gguf.ts'],
    ['src/main/training/run.ts', '../datasets/index.ts'],
    ['src/main/training/run.ts', '../inference/llama.ts'],
    ['src/main/dataset-engine/measure.ts', '../training/tokenize-examples.ts'],
    ['src/main/training/autodiff/tape.ts', '../ggml/index.ts'],
    ['src/main/library/library.ts', '../weights/formats/gguf.ts'],
    ['src/main/storage/paths.ts', '../../shared/error.ts'],
    ['src/renderer/main.ts', '../shared/error.ts'],
    ['src/preload/index.ts', '../shared/desktop.ts'],
  ])('%s of %s', async (file, imported) => {
    expect(await complaints(file, imported)).toEqual([]);
  });
});
