/** As models are loaded: longer ones only by hand, shorter ones hold no conversation (`inference/loaded-model.ts`). */
const longestAutomatic = 16_384;
const shortestAutomatic = 512;
const unknownContext = 2048;

/** The contexts with which a model may be loaded, longest first: the one that a person wants, or else those that Puna would choose from. */
export function contextSizes(trained: number | null, wanted: number | null): number[] {
  if (wanted !== null) return [wanted];
  const longest = Math.min(longestAutomatic, trained !== null && trained > 0 ? trained : unknownContext);
  const sizes = [longest];
  for (let size = longestAutomatic / 2; size >= shortestAutomatic; size /= 2) {
    if (size < longest) sizes.push(size);
  }
  return sizes;
}
