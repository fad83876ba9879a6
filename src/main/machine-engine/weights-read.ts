import { type GgmlTypeName, type GgufTensor, metadataCount } from '../weights/formats/gguf.ts';
import type { ModelFile } from '../weights/model-file.ts';
import type { ModelNeeds } from './messages.ts';

/** Weights that each token needs, by type: not the tokens' own vectors, unless they are the head, too, and of experts only those that are asked. */
export function weightsRead({
  architecture,
  metadata,
  tensors,
}: Pick<ModelFile, 'architecture' | 'metadata' | 'tensors'>): ModelNeeds['read'] {
  const experts = metadataCount(metadata, `${architecture}.expert_count`) ?? 0;
  const used = metadataCount(metadata, `${architecture}.expert_used_count`) ?? experts;
  const askedShare = experts > 0 ? Math.min(1, used / experts) : 1;
  const hasHead = tensors.some(({ name }) => name === 'output.weight');
  const read = new Map<GgmlTypeName, number>();
  for (const { name, type, bytes } of tensors) {
    if (isLookedUp(name) && (hasHead || name !== 'token_embd.weight')) continue;
    const share = /_exps\./.test(name) ? askedShare : 1;
    read.set(type.name, (read.get(type.name) ?? 0) + bytes * share);
  }
  return [...read].map(([type, bytes]) => ({ type, bytes: Math.round(bytes) }));
}

/** One row of it is taken for a token. */
function isLookedUp(name: string): boolean {
  return /^(token_embd|per_layer_token_embd|position_embd|token_types)\.weight$/.test(name);
}

/** Types that ggml's CPU code puts in another order when a model is loaded (ggml-cpu/repack.cpp): with AVX2, or with NEON. */
const copiedByProcessor: Partial<Record<NodeJS.Architecture, readonly GgmlTypeName[]>> = {
  x64: ['Q4_0', 'Q4_K', 'IQ4_NL', 'MXFP4'],
  arm64: ['Q4_0', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'IQ4_NL', 'MXFP4'],
};
const copiedTypes = copiedByProcessor[process.arch] ?? [];
/** Rows are put together by so many. */
const copiedRows = 8;

export function isCopied(type: GgmlTypeName): boolean {
  return copiedTypes.includes(type);
}

/** Bytes of the weights that are kept twice where the processor computes. */
export function copiedBytes(tensors: readonly GgufTensor[]): number {
  const isTwice = ({ name, type, shape: [, rows = 1] }: GgufTensor) =>
    isCopied(type.name) && rows % copiedRows === 0 && !isLookedUp(name);
  return tensors.filter(isTwice).reduce((sum, { bytes }) => sum + bytes, 0);
}
