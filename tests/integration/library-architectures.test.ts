import { join } from 'node:path';
import * as nodeLlamaCpp from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chatArchitectures, checkArchitecture } from '../../src/main/library/architectures.ts';
import { writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let llama: nodeLlamaCpp.Llama;
const said: string[] = [];

beforeAll(async () => {
  temporary = await temporaryFolder();
  llama = await nodeLlamaCpp.getLlama({
    gpu: false,
    build: 'never',
    logger: (_, message) => void said.push(message),
  });
});
// Not disposed: node-llama-cpp 3.21.1 waits for ever for models that could not be loaded.
afterAll(() => temporary.remove());

/** Declared as a constant enum, which TypeScript does not let us list; it is an object all the same. */
const { GgufArchitectureType } = nodeLlamaCpp as unknown as { GgufArchitectureType: Record<string, string> };

/** Whether the bundled llama.cpp knows an architecture: it says so before it misses everything else in the file. */
async function isKnown(architecture: string): Promise<boolean> {
  const modelPath = join(temporary.folder, `${architecture}.gguf`);
  const metadata = new Map([['general.architecture', { type: 'string', value: architecture } as const]]);
  await writeGguf(modelPath, { metadata, tensors: [] });
  said.length = 0;
  await expect(llama.loadModel({ modelPath, ignoreMemorySafetyChecks: true })).rejects.toThrow();
  await expect.poll(() => said.join('')).toMatch(/error loading model/);
  return !/(unknown|unsupported) model architecture/.test(said.join(''));
}

function isAccepted(architecture: string): boolean {
  try {
    checkArchitecture(architecture, 'file');
    return true;
  } catch {
    return false;
  }
}

describe('architectures', () => {
  it('that the library accepts are all known to the bundled llama.cpp', async () => {
    const unknown = [];
    for (const name of chatArchitectures) if (!(await isKnown(name))) unknown.push(name);
    expect(unknown).toEqual([]);
    expect(await isKnown('mammoth')).toBe(false);
  });

  it('that node-llama-cpp names are all accepted or refused with a reason of their own', () => {
    const refused = Object.values(GgufArchitectureType).filter((name) => !isAccepted(name));
    // GPT-J has a name in llama.cpp and no code; the rest cannot hold a conversation.
    expect(refused.toSorted()).toEqual(
      [
        ...[
          '(unknown)',
          'bert',
          'clip',
          'dflash',
          'eagle3',
          'eurobert',
          'gemma-embedding',
          'gemma4-assistant',
          'gptj',
        ],
        ...[
          'jina-bert-v2',
          'jina-bert-v3',
          'llama-embed',
          'modern-bert',
          'neo-bert',
          'nomic-bert',
          'nomic-bert-moe',
        ],
        ...['qwen3tts', 't5encoder', 'wavtokenizer-dec'],
      ].toSorted(),
    );
  });
});
