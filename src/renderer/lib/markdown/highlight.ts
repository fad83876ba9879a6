import {
  createCssVariablesTheme,
  createHighlighterCore,
  type GrammarState,
  type HighlighterCore,
} from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';
import { bundledLanguages, bundledLanguagesInfo, type BundledLanguage } from 'shiki/langs';

/** A run of text of one colour. `className` is empty for plain text. */
export interface Piece {
  text: string;
  className: string;
}

/** Longest line that is highlighted, in characters; longer ones are data or minified, and would hold up the page. */
const maxLineLength = 2000;
const prefix = '--code-';
const theme = createCssVariablesTheme({ name: 'puna', variablePrefix: prefix });
/** Bits of `fontStyle` in a TextMate theme. */
const fontStyles = [
  [1, 'code-italic'],
  [2, 'code-bold'],
  [4, 'code-underline'],
] as const;

const languageNames = new Map(
  bundledLanguagesInfo.flatMap(({ id, name, aliases }) => [id, ...(aliases ?? [])].map((key) => [key, name])),
);

/** What a person calls the language of a fence, such as `Python` for `py`. Unknown ones stay as written. */
export function languageName(id: string): string {
  return languageNames.get(id) ?? id;
}

/** Highlights line after line, keeping what goes on from one to the next (comments, strings). */
export class LineHighlighter {
  readonly #core: HighlighterCore;
  readonly #lang: string;

  constructor(core: HighlighterCore, lang: string) {
    this.#core = core;
    this.#lang = lang;
  }

  /** A line without its end, and the state after it. `state`: that after the line before; undefined for the first line. */
  line(text: string, state: GrammarState | undefined): { pieces: Piece[]; state: GrammarState | undefined } {
    if (text.length > maxLineLength) return { pieces: [{ text, className: '' }], state };
    const tokens = this.#core.codeToTokensBase(text, {
      lang: this.#lang,
      theme: theme.name ?? '',
      ...(state && { grammarState: state }),
    });
    const pieces = (tokens[0] ?? []).map(({ content, color, fontStyle = 0 }) => ({
      text: content,
      className: [
        colorClass(color),
        ...fontStyles.filter(([bit]) => fontStyle > 0 && (fontStyle & bit) !== 0).map(([, name]) => name),
      ]
        .filter(Boolean)
        .join(' '),
    }));
    return { pieces, state: this.#core.getLastGrammarState(tokens) };
  }
}

/** `var(--code-token-string)` as a class; the ordinary colour needs none. */
function colorClass(color: string | undefined): string {
  const name = /^var\(--(code-token-[a-z-]+)/.exec(color ?? '')?.[1];
  return name ?? '';
}

let core: Promise<HighlighterCore> | undefined;
const highlighters = new Map<string, LineHighlighter | null>();

/** What is loaded already: null for a language that is not known, undefined while it has not been asked for. */
export function loadedHighlighter(language: string): LineHighlighter | null | undefined {
  return language in bundledLanguages ? highlighters.get(language) : null;
}

/** Loads a language when it is first needed. Null for a language that is not known or cannot be loaded. */
export async function loadHighlighter(language: string): Promise<LineHighlighter | null> {
  const loaded = loadedHighlighter(language);
  if (loaded !== undefined) return loaded;
  core ??= createHighlighterCore({
    themes: [theme],
    // Patterns that JavaScript cannot express are skipped: a colour less, never an error.
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  try {
    const highlighter = await core;
    await highlighter.loadLanguage(bundledLanguages[language as BundledLanguage]);
    highlighters.set(language, new LineHighlighter(highlighter, language));
  } catch {
    highlighters.set(language, null);
  }
  return highlighters.get(language) ?? null;
}
