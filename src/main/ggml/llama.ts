import koffi from 'koffi';
import { libraryFile, openAnyLibrary } from './library.ts';

/** struct llama_model_quantize_params (llama.h) without what Puna never sets; absent fields keep llama.cpp's defaults. */
export interface QuantizeParameters {
  nthread: number;
  /** enum llama_ftype. */
  ftype: number;
  allow_requantize: boolean;
  /** Whether `output.weight` is quantized, too. */
  quantize_output_tensor: boolean;
  /** Every tensor gets the one type of the file type, instead of its mixture. */
  pure: boolean;
  imatrix: ImportanceOfTensor[] | null;
  /** Metadata that is added to that of the input. */
  kv_overrides: Uint8Array | null;
}

/** What of a tensor's columns counts how much: a number for each column of each of its matrices. */
export interface ImportanceOfTensor {
  name: string;
  data: Float32Array;
}

/** libllama's few functions that work on files. */
export interface Llama {
  /** All fields as llama.cpp fills them in. */
  quantizeDefaults(): Record<string, unknown>;
  /**
   * Writes `from` quantized to `to`, on a thread of its own; nothing can stop it but the end of the process. Gives what
   * llama.cpp complained of, and whether it was done all the same.
   */
  quantize(
    from: string,
    to: string,
    parameters: QuantizeParameters,
  ): Promise<{ done: boolean; complaints: string[] }>;
}

let opened: Llama | null = null;

/** Loads libllama beside ggml, once for this process. Errors: those of `openLibrary`. */
export function openLlama(): Llama {
  opened ??= load();
  return opened;
}

/** enum ggml_log_level. */
const errorLevel = 4;
/** llama.cpp ends with its first error; a damaged file may give some more of them. */
const keptComplaints = 20;

function load(): Llama {
  // The backends must be there before libllama looks for one that reads files.
  const { kind } = openAnyLibrary();
  const library = koffi.load(libraryFile(kind, /^(lib)?llama(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/));
  const parameters = koffi.struct('puna_llama_model_quantize_params', {
    ...{ nthread: 'int32_t', ftype: 'int', output_tensor_type: 'int', token_embedding_type: 'int' },
    ...{ allow_requantize: 'bool', quantize_output_tensor: 'bool', only_copy: 'bool', pure: 'bool' },
    ...{ keep_split: 'bool', dry_run: 'bool' },
    imatrix: koffi.pointer(
      koffi.struct('puna_llama_model_imatrix_data', { name: 'str', data: 'float *', size: 'size_t' }),
    ),
    ...{ kv_overrides: 'void *', tt_overrides: 'void *', prune_layers: 'void *', max_buf_size: 'size_t' },
  });
  const defaults = library.func('llama_model_quantize_default_params', parameters, []);
  const quantize = library.func('llama_model_quantize', 'uint32_t', [
    'str',
    'str',
    koffi.pointer(parameters),
  ]);
  const getLog = library.func('llama_log_get', 'void', ['_Out_ uint64_t *', '_Out_ uint64_t *']);
  const setLog = library.func('llama_log_set', 'void', ['void *', 'void *']);
  const logType = koffi.pointer(koffi.proto('void puna_llama_log(int level, const char *text, void *user)'));
  library.func('llama_backend_init', 'void', [])();

  /** Gathers what llama.cpp complains of. koffi brings what another thread says to this one, whose loop must turn meanwhile. */
  function listen(): { complaints: string[]; end: () => void } {
    const complaints: string[] = [];
    const log = koffi.register((level: number, text: string) => {
      if (level === errorLevel && complaints.length < keptComplaints) complaints.push(text.trim());
    }, logType);
    const [before, user] = [new BigUint64Array(1), new BigUint64Array(1)];
    getLog(before, user);
    setLog(log, null);
    const end = () => {
      setLog(before[0] || null, user[0] || null);
      koffi.unregister(log);
    };
    return { complaints, end };
  }

  const quantizeDefaults = () => defaults() as Record<string, unknown>;
  return {
    quantizeDefaults,
    async quantize(from, to, { imatrix, ...rest }) {
      const given = {
        ...quantizeDefaults(),
        ...rest,
        imatrix: imatrix && [...imatrix.map(withSize), { name: null, data: null, size: 0 }],
      };
      const { complaints, end } = listen();
      try {
        const status = await new Promise<number>((resolve, reject) =>
          quantize.async(from, to, given, (error: unknown, result: number) => {
            // Named here so that the numbers stay in memory for as long as the other thread reads them.
            void given;
            if (error) reject(error as Error);
            else resolve(result);
          }),
        );
        return { done: status === 0, complaints };
      } finally {
        end();
      }
    },
  };
}

function withSize({ name, data }: ImportanceOfTensor) {
  return { name, data, size: data.length };
}
