/** Longest piece of a text from a file that a sentence repeats. */
const maxQuotedCharacters = 64;

/**
 * Text from a file as it may stand on one line: control characters, line breaks and signs that turn the direction of
 * writing, which could fool a terminal, become spaces.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** A name from a file as it may stand in a sentence: on one line, cut, in quotes. */
export function quoted(name: string): string {
  // Cut first: a name can have a hundred million characters.
  const shown = printable(name.slice(0, maxQuotedCharacters + 1));
  return shown.length > maxQuotedCharacters ? `"${shown.slice(0, maxQuotedCharacters)}…"` : `"${shown}"`;
}

/** So many names stand in a sentence; the others are counted. */
const maxListed = 5;

/** Names from a file as they may stand in a sentence. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, maxListed).map(quoted).join(', ');
  return names.length > maxListed ? `${shown} and ${names.length - maxListed} more` : shown;
}
