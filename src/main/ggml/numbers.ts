import koffi from 'koffi';
import { type GgmlType, ggmlTypes } from '../weights/formats/gguf.ts';
import type { Pointer } from './declarations.ts';
import { halfKernels } from './half-kernels.ts';
import { openAnyLibrary } from './library.ts';

/** struct ggml_type_traits (ggml.h). */
const traitsLayout = koffi.struct('puna_ggml_type_traits', {
  type_name: 'void *',
  blck_size: 'int64_t',
  blck_size_interleave: 'int64_t',
  type_size: 'size_t',
  is_quantized: 'bool',
  to_float: 'void *',
  from_float_ref: 'void *',
});

const decoders = new Map<number, Pointer<'function'> | null>();

/** Turns numbers of any of ggml's float and quantized types into floats; `bytes` holds exactly as many. */
export function toFloats(type: GgmlType, bytes: Uint8Array, floats: Float32Array): void {
  if (type.id === ggmlTypes.F16.id) {
    halfKernels().toFloats(bytes, floats, floats.length);
    return;
  }
  const library = openAnyLibrary();
  let decode = decoders.get(type.id);
  if (decode === undefined) {
    const traits = koffi.decode(library.functions.ggml_get_type_traits(type.id), traitsLayout) as {
      to_float: Pointer<'function'> | null;
    };
    decode = traits.to_float;
    decoders.set(type.id, decode);
  }
  if (decode === null) throw new Error(`ggml does not turn ${type.name} into floats.`);
  library.callToFloats(decode, bytes, floats, floats.length);
}

/**
 * Rounds floats to one of ggml's types, to nearest even where it is a float type, into exactly as many bytes as they take;
 * `rowLength` divides their number and is a whole number of the type's blocks.
 */
export function fromFloats(type: GgmlType, floats: Float32Array, rowLength: number, bytes: Uint8Array): void {
  const { functions } = openAnyLibrary();
  switch (type.id) {
    case ggmlTypes.F32.id:
      bytes.set(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
      break;
    case ggmlTypes.F16.id:
      halfKernels().fromFloats(floats, bytes, floats.length);
      break;
    case ggmlTypes.BF16.id:
      functions.ggml_fp32_to_bf16_row(floats, bytes, floats.length);
      break;
    default:
      if (functions.ggml_quantize_requires_imatrix(type.id)) {
        throw new Error(`${type.name} needs an importance matrix.`);
      }
      functions.ggml_quantize_chunk(type.id, floats, bytes, 0, floats.length / rowLength, rowLength, null);
  }
}
