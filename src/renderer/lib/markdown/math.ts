import type { MarkedExtension, Tokens } from 'marked';
import { escapeHtml } from './escape.ts';

/** A formula in TeX, found in markdown. */
export interface Formula {
  /** The whole of it, with its delimiters. */
  raw: string;
  tex: string;
  /** On a line of its own. */
  display: boolean;
}

/**
 * Longest formula in characters. Without a limit, each opening delimiter of a text full of them would search the whole rest
 * for its end.
 */
const maxLength = 4000;
/** Anything but a blank line, which TeX does not allow inside a formula either. */
const body = String.raw`((?:(?!\n[ \t]*\n)[\s\S]){1,${maxLength}}?)`;
const blockFormula = new RegExp(String.raw`^ {0,3}(?:\$\$${body}\$\$|\\\[${body}\\\])[ \t]*(?:\n+|$)`);
const blockStart = /\n {0,3}(?:\$\$|\\\[)/;

const parenthesised = new RegExp(String.raw`^\\\(${body}\\\)`);
const bracketed = new RegExp(String.raw`^\\\[${body}\\\]`);
const doubleDollar = new RegExp(String.raw`^\$\$(?!\$)${body}\$\$`);
/** Pandoc's rule: no space inside the dollars, no digit after them. */
const singleDollar =
  /^\$(?![\s$])((?:\\[\s\S]|[^\\$\n])*?[^\s\\$]|(?:\\[\s\S]|[^\\$\n])*?\\[^\s])\$(?![\d$])/;

/** What only formulas have. */
const mathSign = /[\\^_={}<>+]/;
/** `5 for lunch`: a price with words after it. */
const priceWithWords = /^[\d.,]+\s*\p{L}{2,}/u;
const cjk = /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/**
 * Whether what stands between two dollars is a formula rather than a text between two prices. Korean particles
 * follow a formula without a space (`$x$는`), so what comes after it cannot decide alone.
 */
function isFormula(tex: string, next: string): boolean {
  if (mathSign.test(tex)) return true;
  if (cjk.test(tex) || priceWithWords.test(tex)) return false;
  // `$HOME/$USER`, but `$n$th`.
  return !/[A-Za-z]/.test(next) || tex.length === 1;
}

/** The formula that `source` starts with, if it does. */
export function inlineFormula(source: string): Formula | undefined {
  const inline = parenthesised.exec(source);
  if (inline) return { raw: inline[0], tex: inline[1] ?? '', display: false };
  const display = bracketed.exec(source) ?? doubleDollar.exec(source);
  if (display) return { raw: display[0], tex: display[1] ?? '', display: true };
  const dollars = singleDollar.exec(source);
  const tex = dollars?.[1] ?? '';
  if (!dollars || !isFormula(tex, source.charAt(dollars[0].length))) return undefined;
  return { raw: dollars[0], tex, display: false };
}

/** Start of the next possible formula, or -1. */
function nextDelimiter(source: string): number {
  return source.search(/\$|\\[([]/);
}

/**
 * Closes a formula that is still being written at the end of `source`. A dollar counts only before something that
 * looks like a formula, because most dollars are prices.
 */
export function closeFormula(source: string): string {
  for (let at = 0; at < source.length;) {
    const offset = nextDelimiter(source.slice(at));
    if (offset < 0) return source;
    at += offset;
    const rest = source.slice(at);
    const complete = inlineFormula(rest);
    if (complete) {
      at += complete.raw.length;
    } else if (rest.startsWith('\\')) {
      return rest.length > 2 ? source + (rest.startsWith('\\(') ? '\\)' : '\\]') : source.slice(0, at);
    } else if (/^\$(?![\s\d$])[^$\n]*$/.test(rest) && mathSign.test(rest)) {
      return `${source.trimEnd()}$`;
    } else {
      at += 1;
    }
  }
  return source;
}

/**
 * Hides formulas from the search for `*` and `_`, which mean something else in TeX. Keeps the length, so that
 * positions stay.
 */
export function maskFormulas(source: string): string {
  let masked = '';
  for (let rest = source; ;) {
    const at = nextDelimiter(rest);
    if (at < 0) return masked + rest;
    const length = inlineFormula(rest.slice(at))?.raw.length ?? 0;
    masked += rest.slice(0, at) + (length > 0 ? 'x'.repeat(length) : rest.charAt(at));
    rest = rest.slice(at + Math.max(length, 1));
  }
}

/** `$…$`, `$$…$$`, `\(…\)` and `\[…\]` for marked: a `math` token, rendered as a placeholder that the sanitizer fills in. */
export const mathExtension: MarkedExtension = {
  extensions: [
    {
      name: 'math',
      level: 'inline',
      start: (source) => {
        const at = nextDelimiter(source);
        return at < 0 ? undefined : at;
      },
      tokenizer: (source) => {
        const formula = inlineFormula(source);
        return formula && ({ type: 'math', ...formula } satisfies Tokens.Generic);
      },
      renderer: (token) =>
        `<span data-math="${token['display'] === true ? 'display' : 'inline'}">${escapeHtml(String(token['tex']))}</span>`,
    },
    {
      name: 'display-math',
      level: 'block',
      start: (source) => {
        const at = source.search(blockStart);
        return at < 0 ? undefined : at + 1;
      },
      tokenizer: (source) => {
        const found = blockFormula.exec(source);
        return found
          ? { type: 'display-math', raw: found[0], tex: found[1] ?? found[2] ?? '', display: true }
          : undefined;
      },
    },
  ],
  hooks: { emStrongMask: maskFormulas },
};
