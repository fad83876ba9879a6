import { type TensorToWrite, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { layerMatrices, modelMetadata, type ModelShape, tinyShape } from './tiny-model.ts';
import { matrix, ones } from './tiny-tensors.ts';
import { spaceSign, thinkTags, tinyVocabulary, type Vocabulary } from './tiny-vocabulary.ts';

export interface ScriptedModelOptions {
  /**
   * What the model answers to everything, at every temperature. It may begin with `<think>…</think>`. Where all its words
   * differ (with the white space before them), a reply that is continued goes on where it ended.
   */
  reply: string;
  /** Says its reply over and over and never ends. */
  endless?: boolean;
  name?: string;
  /** In tokens; a small one to see what happens when it is full. */
  contextLength?: number;
  /**
   * Millions of weights that change nothing but are computed with for every token: 100 of them take a few milliseconds.
   * For tests that need time while a reply is being made.
   */
  ballast?: number;
  chatTemplate?: string | null;
}

/** So far above all others (0) that neither temperature nor repeat penalty lets another token win. */
const certainLogit = 120;

/**
 * Writes a model that always gives the same reply. Each piece of the reply is a token of its own, and the next token
 * depends on the last one only: attention and feed-forward add nothing, the embedding of a token is the number of its
 * place in the reply (one-hot), and the head turns that into the following piece. Tokens outside the reply, such as the
 * end of a prompt, count as the place before the first piece. Gives back the path.
 */
export async function buildScriptedModel(path: string, options: ScriptedModelOptions): Promise<string> {
  const { reply, endless = false, name = 'Scripted', contextLength = 8192, ballast = 0 } = options;
  const thinking = thinkTags.some((tag) => reply.includes(tag));
  const script = cutReply(reply);
  const vocabulary = tinyVocabulary({ thinking, pieces: script });
  // One place for each piece and one before the first; widths are multiples of 64.
  const embedding = Math.ceil((script.length + 1) / 64) * 64;
  const feedForward = 64 + Math.ceil((ballast * 1e6) / (3 * tinyShape.layers * embedding) / 64) * 64;
  const shape: ModelShape = { ...tinyShape, embedding, feedForward, contextLength };
  const tensorType = 'Q8_0';
  await writeGguf(path, {
    metadata: new Map(
      modelMetadata({ name, shape, tensorType, thinking, chatTemplate: options.chatTemplate, vocabulary }),
    ),
    tensors: scriptedTensors(shape, vocabulary, { script, endless }),
  });
  return path;
}

/**
 * Cuts a reply into pieces of which no two are the same: words with the white space before them, joined to the next word
 * where a word was there before. A space is written as the sign for it.
 */
function cutReply(reply: string): string[] {
  if (reply.trim() === '') throw new Error('A reply needs at least one word.');
  if (reply.includes(spaceSign)) throw new Error('A reply cannot have the sign that stands for a space.');
  const words = reply.match(/<\/?think>|\s*(?:(?!<\/?think>)\S)+(?:\s+$)?|\s+/gu) ?? [];
  const pieces: string[] = [];
  let piece = '';
  for (const word of words) {
    piece += word.replaceAll(' ', spaceSign);
    if (pieces.includes(piece)) continue;
    pieces.push(piece);
    piece = '';
  }
  // What is left was there before: it goes to the pieces before it until those together are new.
  while (piece !== '') {
    piece = (pieces.pop() ?? '') + piece;
    if (pieces.includes(piece)) continue;
    pieces.push(piece);
    piece = '';
  }
  return pieces;
}

function scriptedTensors(
  shape: ModelShape,
  vocabulary: Vocabulary,
  { script, endless }: { script: string[]; endless: boolean },
): TensorToWrite[] {
  const { embedding, layers } = shape;
  const tokens = vocabulary.pieces.length;
  const ids = script.map((piece) => vocabulary.idOf(piece));
  /** For a token: the place in the script after it. */
  const placeAfter = new Map(ids.map((id, place) => [id, place + 1]));
  if (endless) placeAfter.set(ids.at(-1) ?? 0, 0);
  /** For a place: the token that is said there. */
  const said = endless ? ids : [...ids, vocabulary.idOf('<|im_end|>')];
  const placeOf = new Map(said.map((id, place) => [id, place]));
  // The norm before the head makes a one-hot vector as long as a vector of ones.
  const weight = certainLogit / Math.sqrt(embedding);
  return [
    matrix('token_embd.weight', [embedding, tokens], 'Q8_0', (token, place) =>
      place === (placeAfter.get(token) ?? 0) ? 1 : 0,
    ),
    ...Array.from({ length: layers }, (_, layer) => [
      ones(`blk.${layer}.attn_norm.weight`, embedding),
      ones(`blk.${layer}.ffn_norm.weight`, embedding),
      ...Object.entries(layerMatrices(shape)).map(([name, size]) =>
        zeros(`blk.${layer}.${name}.weight`, size),
      ),
    ]).flat(),
    ones('output_norm.weight', embedding),
    matrix('output.weight', [embedding, tokens], 'Q8_0', (token, place) =>
      placeOf.get(token) === place ? weight : 0,
    ),
  ];
}

function zeros(name: string, [columns, rows]: readonly [number, number]): TensorToWrite {
  const row = new Uint8Array((columns / 32) * 34);
  return {
    ...{ name, type: 'Q8_0', shape: [columns, rows] },
    *data() {
      for (let index = 0; index < rows; index++) yield row;
    },
  };
}
