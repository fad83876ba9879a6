import koffi from 'koffi';
import { ggmlTypes, type GgmlTypeName, tensorBytes } from '../../src/main/weights/formats/gguf.ts';
import { bareLibrary } from './bare-llama.ts';

let quantizeChunk: ReturnType<ReturnType<typeof koffi.load>['func']> | null = null;

/** Numbers as ggml's own quantizer stores them, rows of `columns` numbers. */
export function quantized(numbers: Float32Array, type: GgmlTypeName, columns: number): Uint8Array {
  quantizeChunk ??= koffi
    .load(bareLibrary('ggml-base'))
    .func(
      'size_t ggml_quantize_chunk(int type, float *numbers, _Out_ void *bytes, int64_t start, int64_t rows, int64_t columns, void *importance)',
    );
  const bytes = new Uint8Array(tensorBytes(ggmlTypes[type], [numbers.length]));
  quantizeChunk(ggmlTypes[type].id, numbers, bytes, 0, numbers.length / columns, columns, null);
  return bytes;
}
