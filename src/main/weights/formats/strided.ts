/** Numbers of a tensor among those of a storage: where the first is, and how far apart neighbours are in each dimension. */
export interface Strided {
  readonly offset: number;
  readonly shape: readonly number[];
  /** As many as dimensions, none negative. */
  readonly strides: readonly number[];
}

/** One dimension: how often, and how far it goes in the storage and in the tensor's own order. */
interface Step {
  length: number;
  from: number;
  to: number;
}

/** Read from the storage at once, in bytes. */
const windowBytes = 1024 * 1024;

/** Dimensions of more than one number, slowest first, with the steps that rows one after the other would have. */
function stepsOf({ shape, strides }: Strided): Step[] {
  let to = 1;
  const steps: Step[] = [];
  for (const [index, length] of [...shape.entries()].toReversed()) {
    if (length !== 1) steps.unshift({ length, from: strides[index] ?? 0, to });
    to *= length;
  }
  return steps;
}

/** Whether the numbers lie row by row without gaps. */
export function isContiguous(view: Strided): boolean {
  return view.shape.includes(0) || stepsOf(view).every(({ from, to }) => from === to);
}

/** The place after the last number of the tensor in its storage; `offset` where it has no numbers. */
export function endOf({ offset, shape, strides }: Strided): number {
  if (shape.includes(0)) return offset;
  return shape.reduce((end, length, index) => end + (length - 1) * (strides[index] ?? 0), offset) + 1;
}

/** Whether different indices name the same number otherwise than by repeating a whole dimension (stride 0). */
export function overlapsItself(view: Strided): boolean {
  if (view.shape.includes(0)) return false;
  let reach = 0;
  for (const { length, from } of bySource(view).toReversed()) {
    if (from === 0) continue;
    if (from <= reach) return true;
    reach += (length - 1) * from;
  }
  return false;
}

/** The dimensions as the storage has them: who goes through them in this order never goes back. */
function bySource(view: Strided): Step[] {
  return stepsOf(view).sort((one, other) => other.from - one.from);
}

/**
 * The bytes of a tensor row by row, from numbers that lie otherwise and not over each other. Goes through the storage once, from
 * front to back. `read` fills its target from an offset of the storage in bytes.
 */
export async function gather(
  view: Strided,
  numberBytes: 1 | 2 | 4 | 8,
  read: (target: Uint8Array, offset: number) => Promise<void>,
): Promise<Uint8Array> {
  if (view.shape.includes(0)) return new Uint8Array(0);
  // Copied as two halves: no type of array copies 8 bytes both quickly and as they are.
  if (numberBytes === 8) return await gather(inHalves(view), 4, read);
  const arrayClass = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[numberBytes];
  const target = new arrayClass(view.shape.reduce((product, length) => product * length, 1));
  const steps = bySource(view);
  const inner = steps.pop() ?? { length: 1, from: 1, to: 1 };
  const end = endOf(view);
  const window = new arrayClass(Math.min(windowBytes / numberBytes, end - view.offset));
  let windowStart = view.offset;
  let windowEnd = windowStart;

  for (const { from, to } of places(steps, view.offset)) {
    for (let index = 0; index < inner.length;) {
      let at = from + index * inner.from;
      if (at >= windowEnd) {
        windowStart = at;
        windowEnd = Math.min(at + window.length, end);
        await read(new Uint8Array(window.buffer, 0, (windowEnd - at) * numberBytes), at * numberBytes);
      }
      const here = inner.from === 0 ? inner.length : Math.ceil((windowEnd - at) / inner.from);
      const until = Math.min(inner.length, index + here);
      for (let place = to + index * inner.to; index < until; index++) {
        target[place] = window[at - windowStart] ?? 0;
        place += inner.to;
        at += inner.from;
      }
    }
  }
  return new Uint8Array(target.buffer);
}

function inHalves({ offset, shape, strides }: Strided): Strided {
  return { offset: offset * 2, shape: [...shape, 2], strides: [...strides.map((stride) => stride * 2), 1] };
}

/** Where each run of the innermost dimension begins, in the storage and in the tensor. */
function* places(steps: readonly Step[], offset: number): Generator<{ from: number; to: number }> {
  const indices = steps.map(() => 0);
  const place = { from: offset, to: 0 };
  for (;;) {
    yield place;
    let dimension = steps.length - 1;
    for (; dimension >= 0; dimension--) {
      const step = steps[dimension];
      const index = (indices[dimension] ?? 0) + 1;
      if (!step) return;
      if (index < step.length) {
        indices[dimension] = index;
        place.from += step.from;
        place.to += step.to;
        break;
      }
      indices[dimension] = 0;
      place.from -= (step.length - 1) * step.from;
      place.to -= (step.length - 1) * step.to;
    }
    if (dimension < 0) return;
  }
}
