import { resolve } from 'node:path';
import type { Inspection } from './inspection/inspection.ts';
import {
  type Details,
  inspectFolder,
  inspectGguf,
  inspectImportance,
  inspectRecipe,
  inspectSource,
} from './inspection/layouts.ts';
import type { WeightsItem } from './messages.ts';
import { recognise } from './recognise.ts';

export { formatInspection } from './inspection/format.ts';
export type { Inspection } from './inspection/inspection.ts';
export { table } from './inspection/table.ts';

/**
 * Says what a file or folder of weights holds, without its numbers: models, deltas, adapters, tensors, importance matrices and
 * recipes. Errors: those of `recognise` and of the formats.
 */
export async function inspect(path: string): Promise<Inspection> {
  const item = await recognise(resolve(path));
  const details = await detailsOf(item);
  const { kind, layout, name, base, bytes } = item;
  return { path: item.path, kind, layout, title: name, base, bytes, ...details };
}

function detailsOf(item: WeightsItem): Promise<Details> {
  if (item.kind === 'recipe') return inspectRecipe(item.path);
  switch (item.layout) {
    case 'gguf':
      return inspectGguf(item.path);
    case 'hugging-face':
    case 'peft':
      return inspectFolder(item);
    case 'meta':
    case 'safetensors':
    case 'pytorch':
      return inspectSource(item);
    case 'other':
      return inspectImportance(item.path);
  }
}
