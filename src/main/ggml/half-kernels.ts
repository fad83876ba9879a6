import koffi from 'koffi';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openAnyLibrary } from './library.ts';

/** Turns halves into floats and back, to nearest even, with the instructions that this processor has for it. */
interface HalfKernels {
  toFloats(halves: Uint8Array, floats: Float32Array, count: number): void;
  fromFloats(floats: Float32Array, halves: Uint8Array, count: number): void;
}

let found: HalfKernels | null = null;

/**
 * ggml's own, from the build of its CPU backend that suits this processor best, which it is asked for as ggml asks it
 * (`ggml_backend_score`): ten times as fast as those in its common library, which run anywhere.
 */
export function halfKernels(): HalfKernels {
  found ??= find();
  return found;
}

function find(): HalfKernels {
  const { folder, functions } = openAnyLibrary();
  const best = readdirSync(folder)
    .filter((name) => /^(lib)?ggml-cpu.*\.(so|dylib|dll)$/.test(name))
    .map((name) => scored(join(folder, name)))
    .toSorted((one, other) => other.score - one.score)[0];
  if (!best?.library || best.score === 0) {
    return {
      toFloats: (halves, floats, count) => functions.ggml_fp16_to_fp32_row(halves, floats, count),
      fromFloats: (floats, halves, count) => functions.ggml_fp32_to_fp16_row(floats, halves, count),
    };
  }
  const { library } = best;
  return {
    toFloats: library.func('void ggml_cpu_fp16_to_fp32(void *halves, void *floats, int64_t count)'),
    fromFloats: library.func('void ggml_cpu_fp32_to_fp16(void *floats, void *halves, int64_t count)'),
  };
}

/** 0: not for this processor, or not to be loaded. The only build of a platform has no score, and is for all. */
function scored(path: string): { library: ReturnType<typeof koffi.load> | null; score: number } {
  const library = loaded(path);
  if (!library) return { library, score: 0 };
  try {
    const score = library.func('int ggml_backend_score()') as () => number;
    return { library, score: score() };
  } catch {
    return { library, score: 1 };
  }
}

function loaded(path: string): ReturnType<typeof koffi.load> | null {
  try {
    return koffi.load(path);
  } catch {
    return null;
  }
}
