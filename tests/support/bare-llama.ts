import koffi from 'koffi';
import { createRequire } from 'node:module';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * llama.cpp called directly: the very libraries that node-llama-cpp brings, without node-llama-cpp. What Puna says and how
 * fast it says it is compared with this. Linux on x64 only, where the tests run; structs as in llama.h of llama.cpp v0.4.0.
 */
export interface BareOptions {
  threads: number;
  contextSize: number;
  /** Tokens that are read at once. */
  batchSize?: number;
  adapters?: { path: string; scale: number }[];
}

const pointer = 'void *';

const modelParameters = koffi.struct('llama_model_params', {
  devices: pointer,
  tensor_buft_overrides: pointer,
  n_gpu_layers: 'int32_t',
  split_mode: 'int',
  load_mode: 'int',
  lazy_mode: 'int',
  main_gpu: 'int32_t',
  tensor_split: pointer,
  progress_callback: pointer,
  progress_callback_user_data: pointer,
  kv_overrides: pointer,
  vocab_only: 'bool',
  check_tensors: 'bool',
  use_extra_bufts: 'bool',
  no_host: 'bool',
  no_alloc: 'bool',
  load_mtp: 'bool',
});

const contextParameters = koffi.struct('llama_context_params', {
  n_ctx: 'uint32_t',
  n_batch: 'uint32_t',
  n_ubatch: 'uint32_t',
  n_seq_max: 'uint32_t',
  n_rs_seq: 'uint32_t',
  n_outputs_max: 'uint32_t',
  n_outputs_max_per_seq: 'uint32_t',
  n_threads: 'int32_t',
  n_threads_batch: 'int32_t',
  ctx_type: 'int',
  rope_scaling_type: 'int',
  pooling_type: 'int',
  attention_type: 'int',
  flash_attn_type: 'int',
  rope_freq_base: 'float',
  rope_freq_scale: 'float',
  yarn_ext_factor: 'float',
  yarn_attn_factor: 'float',
  yarn_beta_fast: 'float',
  yarn_beta_slow: 'float',
  yarn_orig_ctx: 'uint32_t',
  defrag_thold: 'float',
  cb_eval: pointer,
  cb_eval_user_data: pointer,
  type_k: 'int',
  type_v: 'int',
  abort_callback: pointer,
  abort_callback_data: pointer,
  embeddings: 'bool',
  offload_kqv: 'bool',
  no_perf: 'bool',
  op_offload: 'bool',
  swa_full: 'bool',
  kv_unified: 'bool',
  samplers: pointer,
  n_samplers: 'size_t',
  ctx_other: pointer,
});

const batch = koffi.struct('llama_batch', {
  n_tokens: 'int32_t',
  token: pointer,
  embd: pointer,
  pos: pointer,
  n_seq_id: pointer,
  seq_id: pointer,
  logits: pointer,
});

/** Where the libraries lie. */
export function llamaLibraries(): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@node-llama-cpp/linux-x64');
  return join(dirname(entry), '..', 'bins', 'linux-x64');
}

function bind() {
  const folder = llamaLibraries();
  const library = (name: RegExp) => {
    const file = readdirSync(folder).find((each) => name.test(each));
    if (file === undefined) throw new Error(`There is no ${name} in ${folder}.`);
    return koffi.load(join(folder, file), { global: true });
  };
  library(/^libggml-base/);
  const ggml = library(/^libggml\.v/);
  const llama = library(/^libllama\.v/);
  const silent = koffi.proto('void silent(int level, const char *text, void *data)');
  const calls = {
    modelDefaults: llama.func('llama_model_default_params', modelParameters, []),
    contextDefaults: llama.func('llama_context_default_params', contextParameters, []),
    loadModel: llama.func('llama_model_load_from_file', pointer, ['str', modelParameters]),
    freeModel: llama.func('llama_model_free', 'void', [pointer]),
    createContext: llama.func('llama_init_from_model', pointer, [pointer, contextParameters]),
    freeContext: llama.func('llama_free', 'void', [pointer]),
    loadAdapter: llama.func('llama_adapter_lora_init', pointer, [pointer, 'str']),
    setAdapters: llama.func('llama_set_adapters_lora', 'int32_t', [pointer, 'void **', 'size_t', 'float *']),
    vocabulary: llama.func('llama_model_get_vocab', pointer, [pointer]),
    vocabularySize: llama.func('llama_vocab_n_tokens', 'int32_t', [pointer]),
    isEnd: llama.func('llama_vocab_is_eog', 'bool', [pointer, 'int32_t']),
    tokenize: llama.func('llama_tokenize', 'int32_t', [
      ...[pointer, 'str', 'int32_t', 'int32_t *', 'int32_t', 'bool', 'bool'],
    ]),
    detokenize: llama.func('llama_detokenize', 'int32_t', [
      ...[pointer, 'int32_t *', 'int32_t', 'uint8_t *', 'int32_t', 'bool', 'bool'],
    ]),
    batchOf: llama.func('llama_batch_get_one', batch, ['int32_t *', 'int32_t']),
    decode: llama.func('llama_decode', 'int32_t', [pointer, batch]),
    logits: llama.func('llama_get_logits_ith', pointer, [pointer, 'int32_t']),
    memory: llama.func('llama_get_memory', pointer, [pointer]),
    clearMemory: llama.func('llama_memory_clear', 'void', [pointer, 'bool']),
    loadBackends: ggml.func('ggml_backend_load_all_from_path', 'void', ['str']),
    setLog: llama.func('llama_log_set', 'void', [koffi.pointer(silent), pointer]),
  };
  calls.setLog(koffi.register(() => undefined, koffi.pointer(silent)), null);
  calls.loadBackends(folder);
  return calls;
}

let bound: ReturnType<typeof bind> | null = null;

export class BareLlama {
  readonly #calls: ReturnType<typeof bind>;
  readonly #model: unknown;
  readonly #context: unknown;
  readonly #vocabulary: unknown;
  readonly #vocabularySize: number;
  readonly #batchSize: number;

  constructor(path: string, options: BareOptions) {
    const { threads, contextSize, batchSize = Math.min(512, contextSize), adapters = [] } = options;
    bound ??= bind();
    this.#calls = bound;
    this.#batchSize = batchSize;
    this.#model = this.#calls.loadModel(path, { ...this.#calls.modelDefaults(), n_gpu_layers: 0 });
    if (!this.#model) throw new Error(`llama.cpp does not load ${path}.`);
    this.#context = this.#calls.createContext(this.#model, {
      ...this.#calls.contextDefaults(),
      ...{ n_ctx: contextSize, n_batch: batchSize, n_ubatch: batchSize, n_threads: threads, n_threads_batch: threads },
    });
    if (!this.#context) throw new Error(`llama.cpp makes no context for ${path}.`);
    if (adapters.length > 0) {
      const loaded = adapters.map((adapter) => this.#calls.loadAdapter(this.#model, adapter.path));
      const scales = Float32Array.from(adapters, ({ scale }) => scale);
      this.#calls.setAdapters(this.#context, loaded, loaded.length, scales);
    }
    this.#vocabulary = this.#calls.vocabulary(this.#model);
    this.#vocabularySize = this.#calls.vocabularySize(this.#vocabulary);
  }

  /** With the beginning token where the model wants one; texts of special tokens become these. */
  tokenize(text: string): Int32Array {
    const bytes = Buffer.byteLength(text);
    const tokens = new Int32Array(bytes + 2);
    const count = this.#calls.tokenize(this.#vocabulary, text, bytes, tokens, tokens.length, true, true);
    return tokens.subarray(0, count);
  }

  detokenize(tokens: ArrayLike<number>): string {
    const bytes = new Uint8Array(tokens.length * 64 + 64);
    const count = this.#calls.detokenize(
      ...([this.#vocabulary, Int32Array.from(tokens), tokens.length, bytes, bytes.length, false, false] as const),
    );
    return Buffer.from(bytes.buffer, 0, count).toString('utf8');
  }

  /** Forgets all that was read. */
  clear(): void {
    this.#calls.clearMemory(this.#calls.memory(this.#context), true);
  }

  /** Reads on after what was read before. */
  read(tokens: Int32Array): void {
    for (let start = 0; start < tokens.length; start += this.#batchSize) {
      const part = tokens.subarray(start, start + this.#batchSize);
      const status = this.#calls.decode(this.#context, this.#calls.batchOf(part, part.length));
      if (status !== 0) throw new Error(`llama_decode gave ${status}.`);
    }
  }

  /** What it expects after the last token. */
  logits(): Float32Array {
    const address = this.#calls.logits(this.#context, -1);
    return new Float32Array(koffi.view(address, this.#vocabularySize * Float32Array.BYTES_PER_ELEMENT));
  }

  /** The likeliest next token. */
  greediest(): number {
    const logits = this.logits();
    let best = 0;
    for (let token = 1; token < logits.length; token++) {
      if ((logits[token] ?? -Infinity) > (logits[best] ?? -Infinity)) best = token;
    }
    return best;
  }

  /** A greedy reply to what was read: at most so many tokens, up to the model's own end. */
  generate(most: number, { endless = false } = {}): number[] {
    const tokens: number[] = [];
    for (;;) {
      const token = this.greediest();
      if (!endless && this.#calls.isEnd(this.#vocabulary, token)) return tokens;
      tokens.push(token);
      if (tokens.length >= most) return tokens;
      this.read(Int32Array.of(token));
    }
  }

  free(): void {
    this.#calls.freeContext(this.#context);
    this.#calls.freeModel(this.#model);
  }
}
