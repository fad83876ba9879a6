import { PunaError } from '../../../shared/error.ts';
import { metadataCount, quoted } from '../formats/gguf.ts';
import type { Tensor } from '../formats/tensor.ts';
import type { ModelSource } from './model-source.ts';

/** How many heads queries and keys have, which decides how their rows are rotated. */
export interface HeadCounts {
  readonly query: number;
  readonly key: number;
}

/** As the model's description says. Errors: `file-damaged` where it does not say it in whole numbers. */
export function headCounts({ path, description }: Pick<ModelSource, 'path' | 'description'>): HeadCounts {
  const [query, key] = description ? saidCounts(description) : [];
  if (Number.isSafeInteger(query) && Number(query) > 0 && (key === undefined || Number.isSafeInteger(key))) {
    return { query: Number(query), key: Number(key ?? query) };
  }
  throw new PunaError(
    'file-damaged',
    `${path} does not say how many attention heads it has.`,
    'Download or copy its files again.',
  );
}

/** What transformers takes where a Mistral does not say it. */
const mistralKeyHeads = 8;

function saidCounts(description: NonNullable<ModelSource['description']>): unknown[] {
  if (description.form === 'hugging-face') {
    const { num_attention_heads: query, num_key_value_heads: key, model_type: type } = description.config;
    return [query, key ?? (type === 'mistral' ? Math.min(mistralKeyHeads, Number(query)) : undefined)];
  }
  const architecture = description.metadata.get('general.architecture')?.value;
  const heads = `${String(architecture)}.attention.head_count`;
  return [metadataCount(description.metadata, heads), metadataCount(description.metadata, `${heads}_kv`)];
}

/**
 * Whether a tensor's rows are those of so many heads, each with an even number of them, as rotation needs it. Errors:
 * `file-damaged`.
 */
export function checkHeads(
  path: string,
  { name, shape }: Pick<Tensor, 'name' | 'shape'>,
  heads: number,
): void {
  const [rows = 0] = shape;
  if (rows > 0 && rows % (2 * heads) === 0) return;
  throw new PunaError(
    'file-damaged',
    `${quoted(name)} in ${path} has ${rows} rows, which ${heads} attention heads cannot share.`,
    'Download or copy its files again.',
  );
}
