import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { weightsFileForm } from '../sources/open.ts';
import type { Adapter } from './adapter.ts';
import { openGgufAdapter } from './gguf-reader.ts';
import { openPeftAdapter, peftFiles } from './peft-reader.ts';

/**
 * Opens a LoRA adapter: a GGUF file, or a folder of PEFT (`adapter_config.json` and the weights), or the weights' file in such a
 * folder. `base`: the model that it is for, which some GGUF adapters cannot be understood without.
 * Errors: `file-missing`, `invalid-input` (no adapter), `file-damaged`, `unsupported-model` (what is no plain LoRA).
 */
export async function openAdapter(
  path: string,
  { base = null }: { base?: ModelSource | null } = {},
): Promise<Adapter> {
  const found = await stat(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  if (found.isDirectory()) {
    if (await stat(join(path, peftFiles.config)).catch(() => null)) return openPeftAdapter(path);
    throw new PunaError(
      'invalid-input',
      `${path} has no ${peftFiles.config}, and so is no adapter of PEFT.`,
      'Choose the folder of an adapter, or a GGUF file.',
    );
  }
  switch (await weightsFileForm(path)) {
    case 'gguf':
      return openGgufAdapter(path, base);
    case 'safetensors':
    case 'pytorch':
      return openPeftAdapter(path);
    case null:
      throw new PunaError(
        'invalid-input',
        `${path} is no adapter.`,
        'Puna reads LoRA adapters in GGUF, and folders of PEFT.',
      );
  }
}
