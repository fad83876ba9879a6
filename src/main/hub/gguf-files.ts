import { splitEnding } from '../weights/model-file.ts';
import type { RepositoryFile } from './hub.ts';

/** A model in a repository: a GGUF file, or all parts of a split one. */
export interface GgufModel {
  /** File name of the (first) file, without the numbers of parts and the ending. */
  name: string;
  /** As the file's name has it, in capitals, such as `Q4_K_M`; null where it does not tell. */
  quantization: string | null;
  /** Of all parts. */
  bytes: number;
  /** In the order of the parts. */
  files: RepositoryFile[];
}

export interface GgufRepository {
  /** By quantization, smallest first. */
  groups: { quantization: string | null; models: GgufModel[] }[];
  /** Let a model see or hear; of no use without one. */
  projectors: RepositoryFile[];
  /** Split models of which parts are missing: their names. */
  incomplete: string[];
}

/** Names of quantizations as people write them into file names, with Unsloth's prefix for dynamic ones. */
const quantizationPattern =
  /(?<![a-z0-9])((?:UD-)?(?:I?Q[1-8](?:_[01]|_K|_XXS|_XS|_S|_M|_L|_XL|_NL|_P)*|TQ[12]_0|BF16|F?P?16|F32|MXFP4(?:_MOE)?|NVFP4))(?![a-z0-9])/gi;

/** What there is to choose from in a repository. */
export function ggufModels(files: readonly RepositoryFile[]): GgufRepository {
  const all = files.filter(({ path }) => /\.gguf$/i.test(path));
  const isProjector = ({ path }: RepositoryFile) => /mmproj/i.test(path);
  // An importance matrix is no model, though it has the format.
  const models = all.filter((file) => !isProjector(file) && !/imatrix[^/]*$/i.test(file.path));
  const sets = [...Map.groupBy(models, ({ path }) => stemOf(path)).values()].map(inOrder);
  const whole = sets.filter(isWhole).map(toModel);
  const groups = [...Map.groupBy(whole, ({ quantization }) => quantization)]
    .map(([quantization, group]) => ({ quantization, models: group.toSorted(bySize) }))
    .toSorted((one, other) => (one.models[0]?.bytes ?? 0) - (other.models[0]?.bytes ?? 0));
  return {
    groups,
    projectors: all.filter(isProjector),
    incomplete: sets.filter((set) => !isWhole(set)).map((set) => set[0]?.path ?? ''),
  };
}

/** The quantization that a path names: the last one in the file's name, or else in that of its folder. */
export function quantizationOf(path: string): string | null {
  for (const part of path
    .replace(/\.gguf$/i, '')
    .split('/')
    .reverse()) {
    const found = [...part.matchAll(quantizationPattern)].at(-1)?.[1];
    if (found) return found.toUpperCase().replace('FP16', 'F16');
  }
  return null;
}

/** Parts of one model have the same: its path without numbers of parts, but with how many there are. */
function stemOf(path: string): string {
  return path.replace(/-\d{5}(-of-\d{5}\.gguf)$/i, '$1');
}

function inOrder(set: readonly RepositoryFile[]): RepositoryFile[] {
  return set.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

function isWhole(set: readonly RepositoryFile[]): boolean {
  const numbers = set.map(({ path }) => /-(\d{5})-of-(\d{5})\.gguf$/i.exec(path));
  const count = Number(numbers[0]?.[2] ?? 1);
  return (
    set.length === count && (count === 1 || numbers.every((found, index) => Number(found?.[1]) === index + 1))
  );
}

function toModel(files: RepositoryFile[]): GgufModel {
  const path = files[0]?.path ?? '';
  return {
    name: (path.split('/').at(-1) ?? '').replace(splitEnding, '').replace(/\.gguf$/i, ''),
    quantization: quantizationOf(path),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files,
  };
}

function bySize(one: GgufModel, other: GgufModel): number {
  return one.bytes - other.bytes;
}
