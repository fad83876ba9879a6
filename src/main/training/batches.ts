import type { SeededRandom } from './random.ts';

/** One example as the model reads it. */
export interface Sample {
  tokens: readonly number[];
  /** Of each token, whether the model is to learn to write it; the first one never is. */
  learnt: readonly boolean[];
}

/** Several samples in one row of tokens, each of which sees only itself. */
export interface Sequence {
  tokens: Int32Array<ArrayBuffer>;
  /** Beginning anew with every sample. */
  positions: Int32Array<ArrayBuffer>;
  /** The place at which each token's sample begins. */
  sampleStarts: Int32Array<ArrayBuffer>;
  /** The token that follows; 0 where none is learnt. */
  labels: Int32Array<ArrayBuffer>;
  /** Whether that token is learnt. */
  learnt: Uint8Array<ArrayBuffer>;
  /** How many tokens are learnt. */
  learntTokens: number;
  /** How many tokens belong to samples; what follows is padding. */
  usedTokens: number;
}

/**
 * Packs samples into sequences of `length` tokens: each goes, the longest first, into the fullest sequence that still has room
 * for it (best fit, decreasing), so that little is left empty. Samples are no longer than that.
 */
export function pack(samples: readonly Sample[], length: number): Sequence[] {
  const bins: Sample[][] = [];
  // The bins by the tokens for which they still have room.
  const withRoom = Array.from({ length: length + 1 }, (): Sample[][] => []);
  for (const sample of samples.toSorted((one, other) => other.tokens.length - one.tokens.length)) {
    const size = sample.tokens.length;
    let room = size;
    while (room < length && withRoom[room]?.length === 0) room++;
    let bin = withRoom[room]?.pop();
    if (!bin) {
      bin = [];
      bins.push(bin);
      room = length;
    }
    bin.push(sample);
    withRoom[room - size]?.push(bin);
  }
  return bins.map((bin) => toSequence(bin, length));
}

function toSequence(samples: readonly Sample[], length: number): Sequence {
  const sequence: Sequence = {
    tokens: new Int32Array(length),
    positions: new Int32Array(length),
    sampleStarts: new Int32Array(length),
    labels: new Int32Array(length),
    learnt: new Uint8Array(length),
    learntTokens: 0,
    usedTokens: 0,
  };
  let start = 0;
  for (const { tokens, learnt } of samples) {
    tokens.forEach((token, index) => {
      const at = start + index;
      sequence.tokens[at] = token;
      sequence.positions[at] = index;
      sequence.sampleStarts[at] = start;
      const next = tokens[index + 1];
      if (next === undefined || !learnt[index + 1]) return;
      sequence.labels[at] = next;
      sequence.learnt[at] = 1;
      sequence.learntTokens++;
    });
    start += tokens.length;
  }
  sequence.usedTokens = start;
  // Padding is a sample of its own, of which nothing is learnt.
  for (let at = start; at < length; at++) {
    sequence.positions[at] = at - start;
    sequence.sampleStarts[at] = start;
  }
  return sequence;
}

/** The same elements in a random order (Fisher and Yates). */
export function shuffled<Element>(elements: readonly Element[], random: SeededRandom): Element[] {
  const result = [...elements];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const [one, two] = [result[last], result[other]];
    if (one !== undefined && two !== undefined) [result[last], result[other]] = [two, one];
  }
  return result;
}
