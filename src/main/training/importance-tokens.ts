import type { LlamaModel, Token } from 'node-llama-cpp';
import { PunaError } from '../../shared/error.ts';
import { readPieces, StrictDecoder } from '../datasets/pieces.ts';
import { fileError } from '../storage/index.ts';

/** Text is tokenized in parts of at least so many bytes, each of which ends with a line. */
const partBytes = 1024 * 1024;
/** A line that goes on for longer is cut somewhere: one token more or less makes no difference. */
const maxPartBytes = 2 * partBytes;
/** More than anyone would wait for, in 64 MB of memory. */
const maxTokens = 2 ** 24;

/**
 * The tokens of a text in chunks of `context`, as llama.cpp's imatrix tool cuts it: what is left at the end is dropped, and
 * where the model wants BOS, it takes the place of each chunk's first token. Errors: `file-missing`, `invalid-input` (no text,
 * or one shorter than a chunk), `cancelled`.
 */
export async function chunksOfText(
  model: LlamaModel,
  path: string,
  { context, most, signal }: { context: number; most: number | null; signal: AbortSignal },
): Promise<Int32Array[]> {
  const { bos, shouldPrependBosToken } = model.tokens;
  const first = shouldPrependBosToken ? bos : null;
  const wanted = Math.min(maxTokens, (most ?? Infinity) * context);
  const parts: Token[][] = first === null ? [] : [[first]];
  let tokens = parts.length;
  for await (const text of readParts(path, signal)) {
    const isFirst = tokens === parts.length && tokens <= 1;
    const part = model.tokenize(text, false, isFirst ? undefined : 'trimLeadingSpace');
    parts.push(part);
    tokens += part.length;
    if (tokens >= wanted) break;
  }
  const chunks = cut(parts, context, Math.floor(Math.min(tokens, wanted) / context));
  if (chunks.length === 0) {
    throw new PunaError(
      'invalid-input',
      `${path} has ${tokens} tokens, and an importance matrix is computed from pieces of ${context}.`,
      'Give a longer text, of the kind that the model will be used for.',
    );
  }
  if (first !== null) for (const chunk of chunks) chunk[0] = first;
  return chunks;
}

function cut(parts: readonly (readonly number[])[], context: number, count: number): Int32Array[] {
  const all = new Int32Array(context * count);
  let at = 0;
  for (const part of parts) {
    const room = all.length - at;
    all.set(part.length > room ? part.slice(0, room) : part, at);
    at += Math.min(part.length, room);
  }
  return Array.from({ length: count }, (_, index) => all.subarray(index * context, (index + 1) * context));
}

async function* readParts(path: string, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new StrictDecoder(path);
  let text = '';
  let bytesHeld = 0;
  try {
    for await (const { bytes, line, ends } of readPieces(path, signal)) {
      text += decoder.decode(bytes, line, { more: !ends });
      bytesHeld += bytes.length;
      if (bytesHeld < (ends ? partBytes : maxPartBytes)) continue;
      yield text;
      text = '';
      bytesHeld = 0;
    }
  } catch (thrown) {
    throw fileError(thrown, path);
  }
  if (text !== '') yield text;
}
