/** Tokens that are read at once, at most (node-llama-cpp's own choice). */
export const batchTokens = 512;
const bytesOfFloat = 4;

/**
 * Bytes that llama.cpp reserves for scores of all tokens that it reads at once, but never touches: Puna wants those of the last one
 * only, and the system gives memory when it is touched. With a vocabulary of 262,000 these are 540 MB.
 */
export function unusedLogits(vocabulary: number, tokens: number): number {
  return (Math.min(batchTokens, tokens) - 1) * vocabulary * bytesOfFloat;
}
