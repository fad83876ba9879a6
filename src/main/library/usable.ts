import { PunaError } from '../../shared/error.ts';
import { quoted } from '../weights/formats/gguf.ts';
import type { ModelFacts } from '../weights/messages.ts';
import { checkArchitecture } from './architectures.ts';

/** What llama.cpp can use. */
export interface UsableFacts extends ModelFacts {
  architecture: string;
  parameters: number;
}

/** Makes sure that llama.cpp can use a file. `name` is what errors call it. Errors: `unsupported-model`. */
export function usable(facts: ModelFacts, name: string): UsableFacts {
  const { architecture, parameters, kind, adapterType } = facts;
  checkArchitecture(architecture, name);
  if (parameters === null) {
    throw new PunaError(
      'unsupported-model',
      `${name} has no weights.`,
      'Choose the file of a whole model; this one may hold just its vocabulary.',
    );
  }
  if (kind === 'adapter' && adapterType !== 'lora') {
    throw new PunaError(
      'unsupported-model',
      `${name} is an adapter of the type ${quoted(adapterType ?? '')}, and only LoRA adapters can be used.`,
      'Choose a LoRA adapter.',
    );
  }
  return { ...facts, architecture, parameters };
}
