/** GGUF's value types, each at the place of its number in the file format. */
export const valueTypes = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const;

export type GgufValueType = (typeof valueTypes)[number];

/** Bytes that a value takes at least; the length and, for arrays, the type stand before the content. */
export const valueBytes: Record<GgufValueType, number> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  string: 8,
  array: 12,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** Arrays of numbers are kept as they lie in the file; a bool is a byte that is 0 or 1. */
export const arrayClasses = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  bool: Uint8Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
} as const;

export type NumericArrayType = keyof typeof arrayClasses;

type NumericArray = {
  [Of in NumericArrayType]: { type: 'array'; of: Of; value: InstanceType<(typeof arrayClasses)[Of]> };
}[NumericArrayType];

export type GgufArray =
  | NumericArray
  | { type: 'array'; of: 'string'; value: readonly string[] }
  | { type: 'array'; of: 'array'; value: readonly GgufArray[] };

/** A metadata value with its type in the file. Bytes of a string that are not UTF-8 appear as U+FFFD. */
export type GgufValue =
  | {
      type: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';
      value: number;
    }
  | { type: 'uint64' | 'int64'; value: bigint }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | GgufArray;

/** Metadata in the order of the file. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** The text of a key; undefined where it is absent or no text. */
export function metadataString(metadata: GgufMetadata, key: string): string | undefined {
  const found = metadata.get(key);
  return found?.type === 'string' ? found.value : undefined;
}

/** The number of a key, whatever width it has in the file; undefined where it is absent or no number. */
export function metadataNumber(metadata: GgufMetadata, key: string): number | undefined {
  const value = metadata.get(key)?.value;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** The number of a key that counts something; undefined where it is absent or cannot be a count. */
export function metadataCount(metadata: GgufMetadata, key: string): number | undefined {
  const number = metadataNumber(metadata, key);
  return Number.isSafeInteger(number) && Number(number) >= 0 ? number : undefined;
}

/** The texts of a key; undefined where it is absent or no array of texts. */
export function metadataStrings(metadata: GgufMetadata, key: string): readonly string[] | undefined {
  const found = metadata.get(key);
  return found?.type === 'array' && found.of === 'string' ? found.value : undefined;
}
