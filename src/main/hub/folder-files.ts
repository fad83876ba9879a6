import type { RepositoryFile } from './hub.ts';

/** Weights in other formats than those that Puna reads, pictures, and what belongs to git. */
const useless =
  /(^|\/)\.(?!\.?\/)|\.(h5|msgpack|ot|onnx|onnx_data|tflite|mlmodel|mlpackage|gguf|png|jpe?g|gif|webp|mp4|pdf)$|^(onnx|openvino|coreml|flax|tf)\//i;

/**
 * The files of a repository that make a folder as the Weights page takes it. Many repositories hold their weights several times:
 * safetensors make PyTorch's files and Meta's originals unnecessary.
 */
export function folderFiles(files: readonly RepositoryFile[]): RepositoryFile[] {
  const useful = files.filter(({ path }) => !useless.test(path));
  const hasSafetensors = useful.some(({ path }) => /^[^/]+\.safetensors$/.test(path));
  if (!hasSafetensors) return useful;
  return useful.filter(({ path }) => !/\.(bin|pt|pth|bin\.index\.json)$|^original\//.test(path));
}
