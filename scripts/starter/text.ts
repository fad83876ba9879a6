/** The starter speaks these. */
export const languages = ['en', 'ko'] as const;
export type Language = (typeof languages)[number];
export type InBoth<Value> = Record<Language, Value>;

/** Phrasings to learn from, and others that are only asked. */
export interface Phrasings {
  learnt: string[];
  heldOut: string[];
}

/** What two phrasings have in common that differ in nothing but case, spaces and punctuation. */
export function normalized(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}+*/=<>-]/gu, '') || text.trim();
}

/** Of `a; b; c`. */
export function listed(text: string): string[] {
  return text
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

export interface Line {
  key: string;
  /** What stands between the key and the text: `:` to learn from, `~` held out, `>` an answer, `+` more of it. */
  sign: string;
  text: string;
}

/** Lines such as `en~ How?; Why?`, without comments and empty ones. Errors: a line that is none. */
export function* linesOf(text: string): Generator<Line> {
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^(==|[a-z-]+)([:~>+]?) (.+)$/.exec(line);
    if (!match) throw new Error(`This line says nothing: ${line}`);
    const [, key = '', sign = '', rest = ''] = match;
    yield { key, sign, text: rest };
  }
}
