import type { GgufArray, GgufMetadata, GgufValue } from './gguf-value.ts';

/** A metadata entry as text for people. */
export interface ShownMetadata {
  key: string;
  /** Such as `uint32`, or `string[]` for an array. */
  type: string;
  value: string;
}

/** A chat template is shown whole; what is longer helps nobody. */
const maxTextCharacters = 20_000;
/** Enough to see what an array holds. */
const maxElements = 16;

/** Metadata in the order of the file; long texts and arrays are cut and say how long they are. */
export function showMetadata(metadata: GgufMetadata): ShownMetadata[] {
  return [...metadata].map(([key, value]) => ({ key, type: showType(value), value: showValue(value) }));
}

function showType(value: GgufValue): string {
  return value.type === 'array' ? `${value.of}[]` : value.type;
}

function showValue(value: GgufValue): string {
  if (value.type === 'array') return showArray(value);
  return typeof value.value === 'string' ? cut(value.value) : showNumber(value.value, value.type);
}

function showArray(array: GgufArray): string {
  const shown = firstElements(array).join(', ');
  const { length } = array.value;
  return length > maxElements ? `[${shown}, … ${length} in all]` : `[${shown}]`;
}

function firstElements(array: GgufArray): string[] {
  switch (array.of) {
    case 'array':
      return array.value.slice(0, maxElements).map(showArray);
    case 'string':
      return array.value.slice(0, maxElements).map((text) => JSON.stringify(cut(text)));
    case 'bool':
      return Array.from(array.value.subarray(0, maxElements), (byte) => String(byte !== 0));
    default:
      return Array.from<number | bigint, string>(array.value.subarray(0, maxElements), (number) =>
        showNumber(number, array.of),
      );
  }
}

/** A float of 32 bits has some seven digits; what follows them comes from its conversion. */
function showNumber(value: number | bigint | boolean, type: string): string {
  return type === 'float32' ? String(Number(Number(value).toPrecision(7))) : String(value);
}

function cut(text: string): string {
  if (text.length <= maxTextCharacters) return text;
  return `${text.slice(0, maxTextCharacters)}… (${text.length} characters in all)`;
}
