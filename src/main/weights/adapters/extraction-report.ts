/** Sums of squares of one matrix. */
export interface ExtractedMatrix {
  readonly name: string;
  readonly layer: number | null;
  /** Of the difference. */
  readonly change: number;
  /** Of the base's numbers. */
  readonly before: number;
  /** Of what the adapter does not give of the difference. */
  readonly left: number;
}

/** A tensor that differs and that the adapter does not have: ‖Δ‖ / ‖W‖; null where it has no counterpart of its shape. */
export interface OtherChange {
  readonly name: string;
  readonly change: number | null;
}

/** How near an adapter comes to a difference. Errors are ‖Δ − B·A‖ / ‖Δ‖, changes ‖Δ‖ / ‖W‖, by Frobenius' norm. */
export interface ExtractionReport {
  readonly rank: number;
  readonly seed: number;
  readonly error: number;
  readonly layers: readonly { layer: number; error: number; change: number }[];
  readonly matrices: readonly { name: string; error: number; change: number }[];
  readonly others: readonly OtherChange[];
}

/** Gathers matrices to a report. */
export class Extraction {
  readonly #rank: number;
  readonly #seed: number;
  readonly #matrices: ExtractedMatrix[] = [];

  constructor(rank: number, seed: number) {
    this.#rank = rank;
    this.#seed = seed;
  }

  add(matrix: ExtractedMatrix): void {
    this.#matrices.push(matrix);
  }

  report(others: readonly OtherChange[]): ExtractionReport {
    const byLayer = Map.groupBy(this.#matrices, ({ layer }) => layer);
    return {
      ...{ rank: this.#rank, seed: this.#seed, error: shares(this.#matrices).error, others },
      layers: [...byLayer].flatMap(([layer, matrices]) =>
        layer === null ? [] : [{ layer, ...shares(matrices) }],
      ),
      matrices: this.#matrices.map((matrix) => ({ name: matrix.name, ...shares([matrix]) })),
    };
  }
}

function shares(matrices: readonly ExtractedMatrix[]): { error: number; change: number } {
  const sum = (of: 'change' | 'before' | 'left') => matrices.reduce((total, matrix) => total + matrix[of], 0);
  const ratio = (one: number, other: number) => (other > 0 ? Math.sqrt(one / other) : 0);
  return { error: ratio(sum('left'), sum('change')), change: ratio(sum('change'), sum('before')) };
}
