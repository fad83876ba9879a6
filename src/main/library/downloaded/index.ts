import { type Downloader, downloaders } from '../../../shared/contract/index.ts';
import { walk, type Walked, type WalkOptions } from '../walk.ts';
import { gpt4AllFolders } from './gpt4all.ts';
import { findHuggingFace, huggingFaceFolders } from './hugging-face.ts';
import { findJan, janFolders } from './jan.ts';
import { lmStudioFolders } from './lm-studio.ts';
import { findOllama, ollamaFolders } from './ollama.ts';
import type { Machine } from './places.ts';

export type { Machine } from './places.ts';

/** How a program keeps what it has downloaded. Nothing of it is ever changed. */
interface Keeping {
  /** Where that may be. */
  folders(machine: Machine): Promise<string[]> | string[];
  /** What is in one of these. Errors: those of the system, where it is not there. */
  find(folder: string, options?: WalkOptions): Promise<Walked>;
}

export const keepings: Readonly<Record<Downloader, Keeping>> = {
  'hugging-face': { folders: huggingFaceFolders, find: findHuggingFace },
  'lm-studio': { folders: lmStudioFolders, find: walk },
  jan: { folders: janFolders, find: findJan },
  gpt4all: { folders: gpt4AllFolders, find: walk },
  ollama: { folders: ollamaFolders, find: findOllama },
};

/** All folders in which programs may have put models. */
export async function downloadedFolders(machine: Machine): Promise<{ program: Downloader; path: string }[]> {
  const all = downloaders.map(async (program) => {
    const paths = await keepings[program].folders(machine);
    return [...new Set(paths)].map((path) => ({ program, path }));
  });
  return (await Promise.all(all)).flat();
}
