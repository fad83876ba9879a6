import type { Token, Tokens } from 'marked';
import { escapeHtml } from './escape.ts';
import { inlineHtml } from './grammar.ts';

/** HTML that a model may have written: show it only through the sanitizer. */
export type UntrustedHtml = string & { readonly untrusted?: true };

export type Alignment = 'left' | 'center' | 'right' | null;

export interface ListItem {
  /** Whether the task is done; null: not a task. */
  done: boolean | null;
  blocks: Block[];
}

/** One block of a reply, ready to be shown. Plain values, so that an unchanged one can be recognised. */
export type Block =
  | { kind: 'paragraph'; html: UntrustedHtml }
  | { kind: 'heading'; depth: number; html: UntrustedHtml }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'math'; tex: string }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'list'; start: number | null; loose: boolean; items: ListItem[] }
  | { kind: 'table'; align: Alignment[]; header: UntrustedHtml[]; rows: UntrustedHtml[][] }
  | { kind: 'rule' }
  | { kind: 'html'; html: UntrustedHtml };

/** Deepest nesting of lists and quotes that is still drawn as such; nobody can read deeper ones, and a page could not hold them. */
const maxDepth = 12;

function compileList(list: Tokens.List, depth: number): Block {
  return {
    kind: 'list',
    start: list.ordered ? Number(list.start) : null,
    loose: list.loose,
    items: list.items.map((item) => ({
      done: item.task ? item.checked === true : null,
      blocks: compileBlocks(item.tokens, depth + 1),
    })),
  };
}

/** What a token shows; null for those that show nothing. */
function compileBlock(token: Token, depth: number): Block | null {
  // marked's union has a catch-all member that hides the others; the name of the type is what tells them apart.
  switch (token.type) {
    case 'paragraph':
      return { kind: 'paragraph', html: inlineHtml((token as Tokens.Paragraph).tokens) };
    case 'text':
      return { kind: 'paragraph', html: inlineHtml((token as Tokens.Text).tokens ?? [token]) };
    case 'heading': {
      const heading = token as Tokens.Heading;
      return { kind: 'heading', depth: heading.depth, html: inlineHtml(heading.tokens) };
    }
    case 'code': {
      const code = token as Tokens.Code;
      return { kind: 'code', language: languageOf(code.lang), text: code.text };
    }
    case 'display-math':
      return { kind: 'math', tex: String((token as Tokens.Generic)['tex']).trim() };
    case 'blockquote':
      return { kind: 'quote', blocks: compileBlocks((token as Tokens.Blockquote).tokens, depth + 1) };
    case 'list':
      return compileList(token as Tokens.List, depth);
    case 'table': {
      const table = token as Tokens.Table;
      return {
        kind: 'table',
        align: table.align,
        header: table.header.map((cell) => inlineHtml(cell.tokens)),
        rows: table.rows.map((row) => row.map((cell) => inlineHtml(cell.tokens))),
      };
    }
    case 'hr':
      return { kind: 'rule' };
    case 'html':
      return { kind: 'html', html: (token as Tokens.HTML).text.trimEnd() };
    case 'space':
    case 'def':
    case 'checkbox':
      return null;
    default:
      return { kind: 'paragraph', html: escapeHtml(token.raw) };
  }
}

/** The word after a fence's backticks, without what some add to it (`ts {1,3}`, `python:main.py`). */
function languageOf(info: string | undefined): string {
  return (
    /^[^\s{:,]+/
      .exec(info ?? '')?.[0]
      .replace(/^\.|^language-/, '')
      .toLowerCase() ?? ''
  );
}

/** Lexed markdown as blocks. */
export function compileBlocks(tokens: Token[], depth = 0): Block[] {
  if (depth > maxDepth) {
    return [{ kind: 'paragraph', html: escapeHtml(tokens.map((token) => token.raw).join('')) }];
  }
  return tokens.map((token) => compileBlock(token, depth)).filter((block) => block !== null);
}
