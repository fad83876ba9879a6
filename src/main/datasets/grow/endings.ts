/** Signs that a sentence, a quotation, a bracket or code ends with. */
const ending = /[.!?。！？…"'”’)\]}`:;~*|]\s*$|\p{Extended_Pictographic}\s*$/u;

/** Whether a text ends where a sentence may end. */
export function endsLikeSentence(text: string): boolean {
  return ending.test(text);
}

/**
 * Without the last of several texts where that was cut off, as replies are that had no room left: it does not end like a
 * sentence, though one before it does. Models that never set full stops lose nothing.
 */
export function withoutCutEnd<Item>(items: readonly Item[], textOf: (item: Item) => string): Item[] {
  const last = items.at(-1);
  if (last === undefined || endsLikeSentence(textOf(last))) return [...items];
  return items.slice(0, -1).some((item) => endsLikeSentence(textOf(item))) ? items.slice(0, -1) : [...items];
}
