/** How the elements of a list begin in a file, by which the next one is found after a broken one. */
export interface Landmark<Frame> {
  /** What leads to the elements. */
  readonly stack: readonly Frame[];
  /** Whether each element begins on a line of its own, which nothing inside of an element does in the same way. */
  readonly ownLine: boolean;
  /** What the pattern was made from. */
  readonly from: string;
  readonly pattern: RegExp;
}

/** From what stands before an element and its beginning up to its first key. */
export function landmark<Frame>(stack: readonly Frame[], gap: string, head: string): Landmark<Frame> {
  const lineAt = gap.lastIndexOf('\n');
  const before = lineAt < 0 ? ',\\s*' : escaped(gap.slice(lineAt));
  const pattern = new RegExp(`(${before})${escaped(head)}\\s*:`);
  return { stack, ownLine: lineAt >= 0, from: gap + head, pattern };
}

/** The first place where an element begins. */
export function landmarkIn<Frame>(
  text: string,
  landmarks: readonly Landmark<Frame>[],
  onOwnLines: boolean,
): { landmark: Landmark<Frame>; at: number } | null {
  let first: { landmark: Landmark<Frame>; at: number } | null = null;
  for (const known of landmarks) {
    if (onOwnLines && !known.ownLine) continue;
    const match = known.pattern.exec(text);
    if (!match) continue;
    const at = match.index + (match[1]?.length ?? 0);
    if (!first || at < first.at) first = { landmark: known, at };
  }
  return first;
}

/** Whether a string of JSON can be parsed. */
export function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
