/** A stretch of bytes: from the first one to before the last one. */
export type Range = readonly [start: number, end: number];

/** Which bytes of a file are there: stretches in their order that neither touch nor overlap. */
export class Ranges {
  #ranges: Range[];

  constructor(ranges: readonly Range[] = []) {
    this.#ranges = [];
    for (const range of ranges) this.add(range);
  }

  add([start, end]: Range): void {
    if (end <= start) return;
    const before = this.#ranges.filter((range) => range[1] < start);
    const after = this.#ranges.filter((range) => range[0] > end);
    const touched = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const merged: Range = [
      Math.min(start, touched[0]?.[0] ?? start),
      Math.max(end, touched.at(-1)?.[1] ?? end),
    ];
    this.#ranges = [...before, merged, ...after];
  }

  /** Nothing from this position on is there any more. */
  cut(position: number): void {
    this.#ranges = this.#ranges
      .map(([start, end]) => [start, Math.min(end, position)] as const)
      .filter(([start, end]) => start < end);
  }

  list(): readonly Range[] {
    return this.#ranges;
  }

  /** How many bytes there are. */
  get bytes(): number {
    return this.#ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** How far it goes without a gap from the beginning. */
  get prefix(): number {
    const [first] = this.#ranges;
    return first?.[0] === 0 ? first[1] : 0;
  }

  /** Where the last stretch ends. */
  get end(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  /** The gaps, up to the end of a file of so many bytes. */
  missing(total: number): Range[] {
    const starts = [0, ...this.#ranges.map(([, end]) => end)];
    const ends = [...this.#ranges.map(([start]) => start), total];
    return starts.flatMap((start, index) => {
      const end = Math.min(total, ends[index] ?? total);
      return end > start ? [[start, end] as const] : [];
    });
  }
}
