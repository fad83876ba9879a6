import { Lexer, Marked, Parser, type Token } from 'marked';
import { cjkEmphasis, doubleTildeOnly } from './emphasis.ts';
import { escapeHtml } from './escape.ts';
import { mathExtension } from './math.ts';

/**
 * The markdown that models write: GitHub's, with formulas, with line breaks kept (models write verse and addresses), and with
 * emphasis that works in Korean.
 */
const marked = new Marked(
  {
    gfm: true,
    breaks: true,
    renderer: {
      link({ href, title, tokens }) {
        const hint = title ? ` title="${escapeHtml(title)}"` : '';
        return `<a href="${escapeHtml(href)}"${hint}>${this.parser.parseInline(tokens)}</a>`;
      },
      image: ({ href, text }) => `<img src="${escapeHtml(href)}" alt="${escapeHtml(text)}">`,
      // Lists draw their own boxes.
      checkbox: () => '',
    },
  },
  mathExtension,
  cjkEmphasis,
  doubleTildeOnly,
);

/** A fresh lexer for one text. */
export function createLexer(): Lexer {
  return new Lexer(marked.defaults);
}

/** Inline tokens as HTML, not sanitized yet: markdown may hold any HTML. */
export function inlineHtml(tokens: Token[]): string {
  return Parser.parseInline(tokens, marked.defaults);
}
