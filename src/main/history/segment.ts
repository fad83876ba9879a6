/**
 * Words for the full-text index. Scripts that are written without spaces, or glue particles to words, are cut into
 * overlapping pairs of characters, so that `학습` is found in `기계학습을`; FTS5's own trigram tokenizer needs three. The last
 * character stands alone too, so that one character is found at the end as well.
 */
const cjkRun = /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+/gu;

/** A text as FTS5 is to read it: CJK runs in pairs, everything else as it is. */
export function segment(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(cjkRun, (run) => ` ${[...pairs(run), lastCharacter(run)].join(' ')} `);
}

/**
 * A query in FTS5's language: every word must be there, the last one may be unfinished. Null when there is no word in it.
 * Each word is quoted, so nothing that a person types is syntax.
 */
export function matchExpression(query: string): string | null {
  const words = queryWords(query);
  const phrases = words.map((word, index) => phrase(word, { unfinished: index === words.length - 1 }));
  return phrases.length === 0 ? null : phrases.join(' AND ');
}

/** The words of a query: runs of CJK, and runs of other letters and digits. */
export function queryWords(query: string): string[] {
  const words = query.normalize('NFC').match(/[\p{L}\p{N}\p{M}\p{Co}ー]+/gu) ?? [];
  return words.flatMap((word) =>
    word
      .replaceAll(cjkRun, (run) => ` ${run} `)
      .trim()
      .split(/\s+/),
  );
}

/** One Latin letter begins so many words that finding them all would help nobody. */
const shortestPrefix = 2;

function phrase(word: string, { unfinished }: { unfinished: boolean }): string {
  if (new RegExp(`^${cjkRun.source}$`, 'u').test(word)) {
    // One character: every pair that begins with it, or itself at the end of a run.
    return [...word].length === 1 ? `"${word}" *` : `"${pairs(word).join(' ')}"`;
  }
  return unfinished && word.length >= shortestPrefix ? `"${word}" *` : `"${word}"`;
}

function pairs(run: string): string[] {
  const characters = [...run];
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function lastCharacter(run: string): string {
  return [...run].at(-1) ?? '';
}
