/** Metadata that llama.cpp adds to what it writes. */
export type Override = [key: string, value: string | number];

/** struct llama_model_kv_override (llama.h): an enum, a key, and a union that begins at a multiple of 8 bytes. */
const layout = { bytes: 264, key: 4, keyBytes: 128, value: 136, valueBytes: 128 };
/** enum llama_model_kv_override_type. */
const types = { int: 0, text: 3 };

/** The overrides in the memory of C: an array that ends with an empty key. Texts are cut to what has room. */
export function encodeOverrides(overrides: readonly Override[]): Uint8Array {
  const bytes = Buffer.alloc((overrides.length + 1) * layout.bytes);
  overrides.forEach(([key, value], index) => {
    const entry = bytes.subarray(index * layout.bytes, (index + 1) * layout.bytes);
    entry.writeInt32LE(typeof value === 'string' ? types.text : types.int, 0);
    entry.write(key, layout.key, layout.keyBytes - 1);
    // `write` cuts between characters, so that the text stays UTF-8.
    if (typeof value === 'string') entry.write(value, layout.value, layout.valueBytes - 1);
    else entry.writeBigInt64LE(BigInt(value), layout.value);
  });
  return bytes;
}
