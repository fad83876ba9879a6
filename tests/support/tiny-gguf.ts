import { ggufPieces, type GgufToWrite, type GgufValue } from '../../src/main/weights/formats/gguf.ts';
import { seededRandom } from './tiny-random.ts';

/** A file with every type of value, and tensors of several types: small enough to be mutated thousands of times. */
export function sampleGguf(): GgufToWrite {
  const metadata: [string, GgufValue][] = [
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.name', { type: 'string', value: '작은 모델 🎉' }],
    ['a.uint8', { type: 'uint8', value: 255 }],
    ['a.int8', { type: 'int8', value: -128 }],
    ['a.uint16', { type: 'uint16', value: 65_535 }],
    ['a.int16', { type: 'int16', value: -32_768 }],
    ['a.uint32', { type: 'uint32', value: 4_294_967_295 }],
    ['a.int32', { type: 'int32', value: -2_147_483_648 }],
    ['a.float32', { type: 'float32', value: 0.5 }],
    ['a.float64', { type: 'float64', value: Math.PI }],
    ['a.uint64', { type: 'uint64', value: 2n ** 64n - 1n }],
    ['a.int64', { type: 'int64', value: -(2n ** 63n) }],
    ['a.bool', { type: 'bool', value: true }],
    ['a.empty', { type: 'string', value: '' }],
    ['many.texts', { type: 'array', of: 'string', value: ['<unk>', '', '안녕', '\u2581the'] }],
    ['many.floats', { type: 'array', of: 'float32', value: Float32Array.from([1, -2, 0.25]) }],
    ['many.ints', { type: 'array', of: 'int32', value: Int32Array.from([1, -2, 3]) }],
    ['many.longs', { type: 'array', of: 'uint64', value: BigUint64Array.from([1n, 2n ** 63n]) }],
    ['many.bools', { type: 'array', of: 'bool', value: Uint8Array.from([1, 0, 1]) }],
    ['many.none', { type: 'array', of: 'string', value: [] }],
  ];
  const random = seededRandom(7);
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.below(256));
  return {
    metadata: new Map(metadata),
    tensors: [
      { name: 'token_embd.weight', type: 'F32', shape: [8, 4], data: bytes(8 * 4 * 4) },
      { name: 'blk.0.attn_q.weight', type: 'Q8_0', shape: [64, 3], data: bytes(2 * 34 * 3) },
      { name: 'blk.0.attn_norm.weight', type: 'F16', shape: [5], data: bytes(10) },
      { name: 'blk.0.ffn_down.weight', type: 'Q4_K', shape: [256, 2, 1, 1], data: bytes(2 * 144) },
    ],
  };
}

/** The bytes of a file, as the writer gives them. */
export async function ggufBytes(gguf: GgufToWrite): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of ggufPieces(gguf)) pieces.push(piece);
  return Buffer.concat(pieces);
}
