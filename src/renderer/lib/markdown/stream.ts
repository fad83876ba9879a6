import type { Lexer, Links, Token, Tokens } from 'marked';
import { compileBlocks, type Block } from './block.ts';
import { escapeHtml } from './escape.ts';
import { createLexer } from './grammar.ts';
import { closeInline, holdBack, lastBlock } from './provisional.ts';

/** What follows a block must have this many whole lines before the block is taken as final: a table needs its second line to become one. */
const settlingLines = 2;

/** Whether `count` newlines follow in `text` from `start` on. */
function hasLines(text: string, start: number, count: number): boolean {
  let at = start - 1;
  for (let line = 0; line < count; line++) {
    at = text.indexOf('\n', at + 1);
    if (at < 0) return false;
  }
  return true;
}

/** Lexes the inline text that `lexer` has put aside. */
function finishInline(lexer: Lexer): void {
  for (const { src, tokens } of lexer.inlineQueue) {
    lexer.state.inRawBlock = false;
    lexer.inlineTokens(src, tokens);
  }
  lexer.inlineQueue = [];
}

/** The inline tokens that the text ends in; undefined where it ends in a block that has none, or after one. */
function lastInline(tokens: Token[]): Token[] | undefined {
  const last = lastBlock(tokens);
  if (last?.type === 'table') {
    const { header, rows } = last as Tokens.Table;
    return (rows.at(-1) ?? header).findLast(({ text }) => text !== '')?.tokens;
  }
  return last && 'tokens' in last ? last.tokens : undefined;
}

/** Closes what is open in the inline text at the very end. */
function closeLast(lexer: Lexer): void {
  const tokens = lastInline(lexer.tokens);
  const last = lexer.inlineQueue.find((entry) => entry.tokens === tokens);
  if (last) last.src = closeInline(last.src);
}

/**
 * The blocks of a text that grows. Blocks that can no longer change are lexed once and stay the same objects; only the end is
 * lexed again, so that a reply of 100 KB costs as little per piece as a short one.
 */
export class MarkdownStream {
  /** The text of the blocks that are final. */
  #settledText = '';
  #settled: Block[] = [];
  /** Definitions (`[label]: address`) among them. */
  #links: Links = {};

  /** The blocks of `text`. `streaming`: more is to come, so its end is shown as if it were closed. */
  update(text: string, streaming: boolean): Block[] {
    const normal = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    try {
      return streaming ? this.#grow(normal) : this.#whole(normal);
    } catch {
      // Nested deeper than the call stack: not worth a crash, and still readable.
      this.#reset();
      return [{ kind: 'paragraph', html: escapeHtml(text) }];
    }
  }

  #reset(): void {
    this.#settledText = '';
    this.#settled = [];
    this.#links = {};
  }

  #whole(text: string): Block[] {
    this.#reset();
    const lexer = createLexer();
    lexer.blockTokens(text, lexer.tokens);
    finishInline(lexer);
    return compileBlocks(lexer.tokens);
  }

  #grow(text: string): Block[] {
    if (!text.startsWith(this.#settledText)) this.#reset();
    const rest = text.slice(this.#settledText.length);
    const tail = holdBack(rest);
    const lexer = createLexer();
    Object.assign(lexer.tokens.links, this.#links);
    lexer.blockTokens(tail, lexer.tokens);
    const tokens: Token[] = lexer.tokens;
    closeLast(lexer);
    finishInline(lexer);

    const { count, length } = settledPart(tokens, rest);
    const settled = tokens.slice(0, count);
    if (defineLinks(settled)) {
      // A definition reaches back to blocks that are final already; lex them again, knowing it. Rare, so not made fast.
      const all = createLexer();
      const upTo = text.slice(0, text.length - rest.length + length);
      all.blockTokens(upTo, all.tokens);
      finishInline(all);
      this.#settled = compileBlocks(all.tokens);
      this.#links = all.tokens.links;
    } else {
      this.#settled.push(...compileBlocks(settled));
    }
    this.#settledText = text.slice(0, text.length - rest.length + length);
    return [...this.#settled, ...compileBlocks(tokens.slice(count))];
  }
}

/** Whether there is a definition (`[label]: address`) among the tokens or inside them. */
function defineLinks(tokens: Token[]): boolean {
  return tokens.some(
    (token) =>
      token.type === 'def' ||
      ('tokens' in token && token.tokens !== undefined && defineLinks(token.tokens)) ||
      (token.type === 'list' && defineLinks((token as Tokens.List).items)),
  );
}

/** How many of `tokens` can no longer change, and how much of `text` they take. */
function settledPart(tokens: Token[], text: string): { count: number; length: number } {
  let position = 0;
  let settled = { count: 0, length: 0 };
  for (const [index, token] of tokens.entries()) {
    // A token that is not the text at its place was put together by the lexer; what follows cannot be placed.
    if (!text.startsWith(token.raw, position)) break;
    if (token.type !== 'space') {
      if (!hasLines(text, position, settlingLines)) break;
      settled = { count: index, length: position };
    }
    position += token.raw.length;
  }
  return settled;
}
