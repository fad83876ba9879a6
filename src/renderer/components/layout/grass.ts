/** A blade of grass as a path of a picture, and how much of it the haze lets through. */
export interface Blade {
  path: string;
  haze: number;
}

/** Numbers between 0 and 1 that look random and are the same each time, so that the picture does not change under the eye. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/**
 * Tussocks of ichu grass along the lower edge of a picture: thin blades that fan out from one root, taller and denser
 * towards the front, all bent a little by the same wind.
 */
export function tussocks({ width, ground }: { width: number; ground: number }): Blade[] {
  const next = sequence(7);
  const blades: Blade[] = [];
  for (let root = 20; root < width; root += 46 + next() * 110) {
    const depth = next();
    const size = 16 + depth * 34;
    const y = ground + depth * 34;
    const count = 9 + Math.floor(next() * 8);
    for (let index = 0; index < count; index++) {
      const spread = (index / (count - 1)) * 2 - 1 + (next() - 0.5) * 0.4;
      const height = size * (1 - 0.35 * Math.abs(spread)) * (0.75 + next() * 0.4);
      const bend = spread * size * 0.6 + size * 0.16;
      const x = root + spread * size * 0.14;
      const path = `M${round(x)} ${round(y)}q${round(bend * 0.15)} ${round(-height * 0.65)} ${round(bend)} ${round(-height)}`;
      blades.push({ path, haze: 0.35 + depth * 0.4 + next() * 0.2 });
    }
  }
  return blades;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
