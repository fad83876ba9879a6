import koffi from 'koffi';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface BareLlamaOptions {
  threads: number;
  contextSize: number;
  /** Keys and values in F32, and no flash attention: nothing is rounded that need not be. */
  exact?: boolean;
}

/**
 * llama.cpp without anything around it: a few functions of the very library that node-llama-cpp loads, called directly. What
 * the chat engine says is compared with it, and what it costs is measured against it.
 */
export class BareLlama {
  readonly #functions: Functions;
  readonly #model: unknown;
  readonly #vocabulary: unknown;
  readonly #context: unknown;
  readonly vocabularySize: number;

  constructor(path: string, { threads, contextSize, exact = false }: BareLlamaOptions) {
    this.#functions = library();
    const f = this.#functions;
    this.#model = f.loadModel(path, f.modelParameters());
    if (!this.#model) throw new Error(`llama.cpp could not load ${path}`);
    this.#vocabulary = f.vocabulary(this.#model);
    this.vocabularySize = f.vocabularySize(this.#vocabulary);
    const parameters = f.contextParameters();
    const fields = new DataView(new BigUint64Array(parameters.words).buffer);
    // How llama_context_params begins in this release: n_ctx, n_batch, n_ubatch, n_seq_max, three others, n_threads,
    // n_threads_batch, one other, four settings that are chosen later, of which the last is flash attention. Behind them two
    // 1 (F16) for the types of keys and values. The defaults tell whether that still holds.
    const defaults = [512, 2048, 512, 1, 0, 0, 1, 4, 4, 0, -1, -1, -1, -1];
    const found = defaults.map((_, index) => fields.getInt32(index * 4, true));
    const types = [26, 27];
    if (found.join() !== defaults.join() || types.some((index) => fields.getInt32(index * 4, true) !== 1))
      throw new Error(`llama_context_params has changed: ${found.join()}`);
    const wanted = [contextSize, 512, 512, 1, 0, 0, 1, threads, threads, 0, -1, -1, -1, exact ? 0 : -1];
    if (exact) types.forEach((index) => fields.setInt32(index * 4, 0, true));
    wanted.forEach((value, index) => fields.setInt32(index * 4, value, true));
    const changed = { words: Array.from(new BigUint64Array(fields.buffer)) };
    this.#context = f.createContext(this.#model, changed);
    if (!this.#context) throw new Error('llama.cpp could not make a context');
  }

  /** Computes with a LoRA adapter from here on. */
  useAdapter(path: string): void {
    const adapter = this.#functions.loadAdapter(this.#model, path);
    if (!adapter) throw new Error(`llama.cpp could not load ${path}`);
    const status = this.#functions.setAdapters(this.#context, [adapter], 1, Float32Array.of(1));
    if (status !== 0) throw new Error(`llama_set_adapters_lora failed with ${status}`);
  }

  /** Special tokens of the text are recognised, and BOS is added where the model wants it. */
  tokenize(text: string): Int32Array {
    const bytes = Buffer.byteLength(text);
    const tokens = new Int32Array(bytes + 8);
    const count = this.#functions.tokenize(this.#vocabulary, text, bytes, tokens, tokens.length, true, true);
    if (count < 0) throw new Error('llama_tokenize failed');
    return tokens.slice(0, count);
  }

  /**
   * A conversation as llama.cpp's own programs put it to a model, up to where the reply begins. It does not read the template,
   * but recognises it among those that it knows.
   */
  applyTemplate(template: string, messages: { role: string; content: string }[]): string {
    const text = Buffer.alloc(1 << 16);
    const bytes = this.#functions.applyTemplate(
      ...([template, messages, messages.length, true, text, text.length] as const),
    );
    if (bytes < 0) throw new Error('llama.cpp does not know this template');
    return text.toString('utf8', 0, bytes);
  }

  /** The text of tokens, without that of special ones. */
  detokenize(tokens: number[]): string {
    const text = Buffer.alloc(tokens.length * 64);
    const ids = Int32Array.from(tokens);
    const bytes = this.#functions.detokenize(
      this.#vocabulary,
      ids,
      ids.length,
      text,
      text.length,
      false,
      false,
    );
    return text.toString('utf8', 0, bytes);
  }

  /** Reads tokens behind those that were read before; their logits are those of the last one. */
  decode(tokens: Int32Array): void {
    const status = this.#functions.decode(this.#context, this.#functions.batch(tokens, tokens.length));
    if (status !== 0) throw new Error(`llama_decode failed with ${status}`);
  }

  /** Of the last token that was read. */
  logits(): Float32Array {
    const address = this.#functions.logits(this.#context, -1);
    return koffi.decode(address, koffi.array('float', this.vocabularySize, 'Typed')) as Float32Array;
  }

  /** The likeliest next token, without copying the logits. */
  greedy(): number {
    const logits = this.logits();
    let best = 0;
    for (let token = 1; token < logits.length; token++) {
      if ((logits[token] ?? -Infinity) > (logits[best] ?? -Infinity)) best = token;
    }
    return best;
  }

  /** Forgets everything that was read. */
  clear(): void {
    this.#functions.clear(this.#functions.memory(this.#context), true);
  }

  [Symbol.dispose](): void {
    this.#functions.freeContext(this.#context);
    this.#functions.freeModel(this.#model);
  }
}

/**
 * A structure that is passed by value as it came. Larger than any of llama.cpp's: what is passed in memory may be longer
 * than what is read.
 */
interface Opaque {
  words: bigint[] | BigUint64Array;
}

interface Functions {
  modelParameters(): Opaque;
  contextParameters(): Opaque;
  loadModel(path: string, parameters: Opaque): unknown;
  createContext(model: unknown, parameters: Opaque): unknown;
  loadAdapter(model: unknown, path: string): unknown;
  setAdapters(context: unknown, adapters: unknown[], count: number, scales: Float32Array): number;
  vocabulary(model: unknown): unknown;
  vocabularySize(vocabulary: unknown): number;
  tokenize(
    vocabulary: unknown,
    text: string,
    bytes: number,
    tokens: Int32Array,
    size: number,
    addSpecial: boolean,
    parseSpecial: boolean,
  ): number;
  detokenize(
    vocabulary: unknown,
    tokens: Int32Array,
    count: number,
    text: Buffer,
    size: number,
    removeSpecial: boolean,
    unparseSpecial: boolean,
  ): number;
  applyTemplate(
    template: string,
    messages: { role: string; content: string }[],
    count: number,
    beginReply: boolean,
    text: Buffer,
    size: number,
  ): number;
  batch(tokens: Int32Array, count: number): unknown;
  decode(context: unknown, batch: unknown): number;
  logits(context: unknown, index: number): unknown;
  memory(context: unknown): unknown;
  clear(memory: unknown, data: boolean): void;
  freeContext(context: unknown): void;
  freeModel(model: unknown): void;
}

let loaded: Functions | null = null;

function library(): Functions {
  if (loaded) return loaded;
  koffi.load(bareLibrary('ggml-base'), { global: true });
  const registry = koffi.load(bareLibrary('ggml'), { global: true });
  registry.func('void ggml_backend_load_all_from_path(const char *folder)')(libraryFolder());
  const llama = koffi.load(bareLibrary('llama'));
  koffi.struct('Opaque', { words: koffi.array('uint64_t', 64) });
  koffi.struct('llama_chat_message', { role: 'const char *', content: 'const char *' });
  koffi.struct('llama_batch', {
    ...{ n_tokens: 'int32_t', token: 'int32_t *', embd: 'void *', pos: 'void *' },
    ...{ n_seq_id: 'void *', seq_id: 'void *', logits: 'void *' },
  });
  const silence = koffi.register(
    () => undefined,
    koffi.pointer(koffi.proto('void log(int level, void *text, void *user)')),
  );
  llama.func('llama_log_set', 'void', ['void *', 'void *'])(silence, null);
  llama.func('void llama_backend_init()')();
  loaded = {
    modelParameters: llama.func('Opaque llama_model_default_params()'),
    contextParameters: llama.func('Opaque llama_context_default_params()'),
    loadModel: llama.func('void *llama_model_load_from_file(const char *path, Opaque parameters)'),
    createContext: llama.func('void *llama_init_from_model(void *model, Opaque parameters)'),
    loadAdapter: llama.func('void *llama_adapter_lora_init(void *model, const char *path)'),
    setAdapters: llama.func(
      'int32_t llama_set_adapters_lora(void *context, void **adapters, size_t count, float *scales)',
    ),
    vocabulary: llama.func('void *llama_model_get_vocab(void *model)'),
    vocabularySize: llama.func('int32_t llama_vocab_n_tokens(void *vocabulary)'),
    tokenize: llama.func(
      'int32_t llama_tokenize(void *vocabulary, const char *text, int32_t bytes, _Out_ int32_t *tokens, int32_t size, bool add, bool parse)',
    ),
    detokenize: llama.func(
      'int32_t llama_detokenize(void *vocabulary, int32_t *tokens, int32_t count, _Out_ char *text, int32_t size, bool remove, bool unparse)',
    ),
    applyTemplate: llama.func(
      'int32_t llama_chat_apply_template(const char *template, llama_chat_message *messages, size_t count, bool begin, _Out_ char *text, int32_t size)',
    ),
    batch: llama.func('llama_batch llama_batch_get_one(int32_t *tokens, int32_t count)'),
    decode: llama.func('int32_t llama_decode(void *context, llama_batch batch)'),
    logits: llama.func('void *llama_get_logits_ith(void *context, int32_t index)'),
    memory: llama.func('void *llama_get_memory(void *context)'),
    clear: llama.func('void llama_memory_clear(void *memory, bool data)'),
    freeContext: llama.func('void llama_free(void *context)'),
    freeModel: llama.func('void llama_model_free(void *model)'),
  };
  return loaded;
}

const libraryFiles = {
  'ggml-base': /^(lib)?ggml-base\.(so|dylib|dll)$/,
  ggml: /^(lib)?ggml(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/,
  llama: /^(lib)?llama(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/,
};

/** The path of one of llama.cpp's libraries. */
export function bareLibrary(library: keyof typeof libraryFiles): string {
  const folder = libraryFolder();
  const name = readdirSync(folder).find((file) => libraryFiles[library].test(file));
  if (!name) throw new Error(`${folder} has no ${libraryFiles[library].source}`);
  return join(folder, name);
}

/** The CPU build for this platform, which node-llama-cpp loads where there is no GPU. */
function libraryFolder(): string {
  const platform =
    { linux: 'linux', darwin: 'mac', win32: 'win' }[process.platform as string] ?? process.platform;
  const name = `${platform}-${process.arch}${process.platform === 'darwin' && process.arch === 'arm64' ? '-metal' : ''}`;
  const require = createRequire(import.meta.url);
  const entry = require.resolve('node-llama-cpp');
  return join(dirname(entry), '..', '..', '@node-llama-cpp', name, 'bins', name);
}
