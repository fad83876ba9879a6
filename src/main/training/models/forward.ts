import { attention, type AttentionOptions, maskFrom, rules, type Tape } from '../autodiff/index.ts';
import type { Tensor } from '../../ggml/index.ts';
import type { Decoder } from './decoder.ts';
import type { Weights } from './weights.ts';

/** What a trained adapter adds to a matrix's result. */
export interface Adapters {
  /** y plus what the adapter of this weight makes of x; y itself where there is none. */
  apply(tape: Tape, weight: string, x: Tensor, y: Tensor): Tensor;
}

/** A model that computes. */
export interface Model {
  decoder: Decoder;
  weights: Weights;
  adapters: Adapters | null;
  /** Sees what every matrix is multiplied with: x is [in, tokens]. */
  observe?: (weight: string, x: Tensor) => void;
}

/** What a sequence is, in tensors of [tokens]. */
export interface SequenceInputs {
  /** I32. */
  tokens: Tensor;
  /** I32: they begin anew with every sample of the sequence. */
  positions: Tensor;
  /** F32 0, 1, 2 …: the tokens' places in the sequence, and those of attention's further keys behind it. */
  indexes: Tensor;
  /** F32: the place at which each token's sample begins. */
  sampleStarts: Tensor;
  /** F32: the same, or the beginning of its sliding window; null where no layer has one. */
  windowStarts: Tensor | null;
}

export interface ForwardOptions {
  /** Queries whose scores of attention exist at once. */
  attentionChunk: number;
  /** Layers are computed once more on the way back instead of being kept. */
  checkpoint: boolean;
}

/** Hidden states behind the last norm: [embedding, tokens]. */
export function hiddenStates(
  tape: Tape,
  model: Model,
  inputs: SequenceInputs,
  options: ForwardOptions,
): Tensor {
  const { decoder, weights } = model;
  const embeddings = weights.get('token_embd.weight');
  const embedded = tape.isParameter(embeddings)
    ? tape.apply(rules.rows(inputs.tokens), embeddings)
    : tape.g.getRows(embeddings, inputs.tokens);
  let x = decoder.embeddingScale === 1 ? embedded : tape.apply(rules.scale(decoder.embeddingScale), embedded);
  const masks = new Masks(inputs);
  for (let index = 0; index < decoder.layers; index++) {
    const layer = (inner: Tape, input: Tensor) =>
      new Layer(inner, model, index, inputs, masks, options).run(input);
    x = options.checkpoint ? tape.checkpoint(layer, x) : layer(tape, x);
  }
  return norm(tape, model, 'output_norm', x);
}

/** Logits [vocabulary, tokens] of hidden states [embedding, tokens]. */
export function logitsOf(tape: Tape, model: Model, hidden: Tensor): Tensor {
  const { logitCap } = model.decoder;
  const logits = linear(tape, model, headName(model.weights), hidden);
  if (logitCap === null) return logits;
  return tape.apply(
    rules.scale(logitCap),
    tape.apply(rules.tanh, tape.apply(rules.scale(1 / logitCap), logits)),
  );
}

/** Whether `logitsOf` has parameters. */
export function isHeadTrained(tape: Tape, { weights }: Model): boolean {
  return tape.isParameter(weights.get(`${headName(weights)}.weight`));
}

/** Without a head of its own a model uses its embeddings. */
function headName(weights: Weights): string {
  return weights.find('output.weight') ? 'output' : 'token_embd';
}

/** One layer, as every supported architecture has it. */
class Layer {
  readonly #tape: Tape;
  readonly #model: Model;
  readonly #index: number;
  readonly #inputs: SequenceInputs;
  readonly #masks: Masks;
  readonly #options: ForwardOptions;

  constructor(
    tape: Tape,
    model: Model,
    index: number,
    inputs: SequenceInputs,
    masks: Masks,
    options: ForwardOptions,
  ) {
    this.#tape = tape;
    this.#model = model;
    this.#index = index;
    this.#inputs = inputs;
    this.#masks = masks;
    this.#options = options;
  }

  run(x: Tensor): Tensor {
    const attended = this.#add(
      x,
      this.#normed('post_attention_norm', this.#attend(this.#norm('attn_norm', x))),
    );
    return this.#add(
      attended,
      this.#normed('post_ffw_norm', this.#feedForward(this.#norm('ffn_norm', attended))),
    );
  }

  #attend(x: Tensor): Tensor {
    const { decoder } = this.#model;
    const { rope, window } = decoder.attentionOf(this.#index);
    const [q, k, v] = this.#queriesKeysValues(x);
    const factors = decoder.ropeFactors ? this.#model.weights.get(decoder.ropeFactors) : null;
    const rotate = (heads: Tensor) =>
      this.#tape.apply(rules.rope(this.#inputs.positions, factors, rope), heads);
    const y = this.#tape.apply(
      attention({
        scale: decoder.attentionScale,
        chunk: this.#options.attentionChunk,
        gradientTypes: this.#model.weights.attentionGradientTypes,
        furtherKeys: this.#inputs.indexes.count - x.shape[1],
        settle: (tensor) => this.#tape.settle(tensor),
        mask: this.#masks.of(window),
      }),
      rotate(this.#normed('attn_q_norm', q)),
      rotate(this.#normed('attn_k_norm', k)),
      v,
    );
    return this.#linear('attn_output', y);
  }

  /** [head, heads, tokens], and [head, groups, tokens] twice. */
  #queriesKeysValues(x: Tensor): [q: Tensor, k: Tensor, v: Tensor] {
    const { head, heads, groups } = this.#model.decoder;
    const [, tokens] = x.shape;
    const split = (y: Tensor, count: number) => this.#tape.apply(rules.reshape(head, count, tokens), y);
    if (this.#has('attn_qkv')) {
      const fused = this.#linear('attn_qkv', x);
      const part = (from: number, count: number) =>
        split(this.#tape.apply(rules.columns(from * head, count * head), fused), count);
      return [part(0, heads), part(heads, groups), part(heads + groups, groups)];
    }
    return [
      split(this.#linear('attn_q', x), heads),
      split(this.#linear('attn_k', x), groups),
      split(this.#linear('attn_v', x), groups),
    ];
  }

  #feedForward(x: Tensor): Tensor {
    const activation = this.#model.decoder.activation === 'gelu' ? rules.geglu : rules.swiglu;
    if (this.#has('ffn_gate')) {
      return this.#linear(
        'ffn_down',
        this.#tape.apply(activation, this.#linear('ffn_gate', x), this.#linear('ffn_up', x)),
      );
    }
    const fused = this.#linear('ffn_up', x); // gate, then up
    const width = fused.shape[0] / 2;
    const half = (from: number) => this.#tape.apply(rules.columns(from, width), fused);
    return this.#linear('ffn_down', this.#tape.apply(activation, half(0), half(width)));
  }

  #name(part: string): string {
    return `blk.${this.#index}.${part}`;
  }

  #has(part: string): boolean {
    return this.#model.weights.find(`${this.#name(part)}.weight`) !== null;
  }

  #linear(part: string, x: Tensor): Tensor {
    return linear(this.#tape, this.#model, this.#name(part), x);
  }

  #norm(part: string, x: Tensor): Tensor {
    return norm(this.#tape, this.#model, this.#name(part), x);
  }

  /** Where the architecture has this norm. */
  #normed(part: string, x: Tensor): Tensor {
    return this.#has(part) ? this.#norm(part, x) : x;
  }

  #add(a: Tensor, b: Tensor): Tensor {
    return this.#tape.apply(rules.add, a, b);
  }
}

/** For sequences up to so many tokens masks are made once for all layers: 14 MB. Beyond, memory must not grow with tokens². */
const keptMasks = 2048;

/** Masks by what a layer sees. */
class Masks {
  readonly #inputs: SequenceInputs;
  readonly #kept = new Map<string, Tensor>();

  constructor(inputs: SequenceInputs) {
    this.#inputs = inputs;
  }

  of(window: number | null): AttentionOptions['mask'] {
    const { indexes, sampleStarts, windowStarts } = this.#inputs;
    const make = maskFrom(indexes, (window === null ? null : windowStarts) ?? sampleStarts);
    if (sampleStarts.count > keptMasks) return make;
    return (g, chunk, type) => {
      const name = [window, chunk.from, chunk.to, chunk.keys, type].join();
      const mask = this.#kept.get(name) ?? make(g, chunk, type);
      this.#kept.set(name, mask);
      return mask;
    };
  }
}

function norm(tape: Tape, { decoder, weights }: Model, name: string, x: Tensor): Tensor {
  const scale = weights.get(`${name}.weight`);
  return tape.apply(rules.mul, tape.apply(rules.rmsNorm(decoder.epsilon), x), scale);
}

/** Wᵀ x, plus what an adapter and a bias add: [in, tokens] → [out, tokens]. */
function linear(tape: Tape, { weights, adapters, observe }: Model, name: string, x: Tensor): Tensor {
  observe?.(`${name}.weight`, x);
  const matrix = weights.get(`${name}.weight`);
  const y = tape.isParameter(matrix)
    ? tape.apply(rules.linear, matrix, x)
    : tape.apply(rules.frozenLinear(weights.frozen(`${name}.weight`)), x);
  const adapted = adapters?.apply(tape, `${name}.weight`, x, y) ?? y;
  const bias = weights.find(`${name}.bias`);
  return bias ? tape.apply(rules.add, adapted, bias) : adapted;
}
