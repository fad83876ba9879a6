/** GGUF files: metadata and tensor table without loading the tensors, and writing by streams. */
export { bufferSource, type ByteSource } from './byte-source.ts';
export { type GgmlType, ggmlTypeById, type GgmlTypeName, ggmlTypes, tensorBytes } from './ggml-types.ts';
export { type Gguf, type GgufTensor, readGguf, readGgufFrom } from './gguf-reader.ts';
export { showMetadata, type ShownMetadata } from './gguf-show.ts';
export {
  type GgufArray,
  type GgufMetadata,
  type GgufValue,
  metadataCount,
  metadataNumber,
  metadataString,
  metadataStrings,
} from './gguf-value.ts';
export {
  ggufHeader,
  ggufPadding,
  ggufPieces,
  type GgufToWrite,
  type TensorToWrite,
  writeGguf,
} from './gguf-writer.ts';
export { listed, printable, quoted } from './printable.ts';
