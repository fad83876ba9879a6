import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Samples, samplesSchema } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';

/** Of the starter model, in the folder of what comes with Puna. */
const folderName = 'starter';
const modelName = 'puna-starter.gguf';
const listName = 'samples.json';

/** A file or folder beside the list. */
const besideSchema = z.string().regex(/^[^/\\:]+$/, 'A name without folders is expected.');

const listSchema = z.object({
  chats: besideSchema,
  delta: z.object({ file: besideSchema, base: besideSchema }),
  questions: samplesSchema.shape.questions,
});

/** What comes with Puna, without what the library knows of it. */
export type SampleFiles = Omit<Samples, 'modelId'>;

export const noSamples: SampleFiles = {
  chats: null,
  delta: null,
  questions: { chat: [], taught: [], delta: [] },
};

/** Where the starter model lies. `resources`: the folder of what comes with Puna. */
export function starterFile(resources: string): string {
  return join(resources, folderName, modelName);
}

/** Reads what there is to try with the starter model. Errors: `file-missing`, `file-damaged`, and others of the system. */
export async function readSampleFiles(resources: string): Promise<SampleFiles> {
  const at = (name: string) => join(resources, folderName, name);
  const { chats, delta, questions } = await readList(at(listName));
  const base = at(delta.base);
  await bytesOf(base);
  return {
    chats: { path: at(chats), bytes: await bytesOf(at(chats)) },
    delta: { base, path: at(delta.file), bytes: await bytesOf(at(delta.file)) },
    questions,
  };
}

async function readList(path: string): Promise<z.infer<typeof listSchema>> {
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  try {
    return listSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PunaError('file-damaged', `${path} cannot be read.`, 'Install Puna again.', { cause });
  }
}

/** Of a file, or of all files of a folder. */
async function bytesOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return found.size;
    const names = await readdir(path);
    const files = await Promise.all(names.map((name) => stat(join(path, name))));
    return files.reduce((sum, { size }) => sum + size, 0);
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}
