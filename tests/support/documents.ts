import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { lexer, type Token, type Tokens, walkTokens } from 'marked';

/** A page that people read, in Markdown. */
export interface Document {
  /** From the root of the repository. */
  path: string;
  text: string;
  tokens: Token[];
}

/** All pages in English and Korean: those at the root, and those of `docs`. */
export async function allDocuments(): Promise<Document[]> {
  const paths = globSync(['*.md', 'docs/**/*.md', 'scripts/**/*.md']);
  return Promise.all(
    paths.sort().map(async (path) => {
      const text = await readFile(path, 'utf8');
      return { path, text, tokens: lexer(text) };
    }),
  );
}

/** Where a page's links and pictures lead to, as they are written, those in HTML too. */
export function targetsOf({ tokens }: Document): string[] {
  return tokensOf(tokens).flatMap((token) => {
    if (isLink(token) || isImage(token)) return [token.href];
    if (token.type !== 'html') return [];
    return [...token.raw.matchAll(/\b(?:src|srcset|href)="([^"\s]+)/g)].map(([, target = '']) => target);
  });
}

/** The names by which GitHub leads to the headings of a page. */
export function anchorsOf({ tokens }: Document): Set<string> {
  const counts = new Map<string, number>();
  const anchors = tokensOf(tokens)
    .filter(isHeading)
    .map(({ text }) => {
      const name = text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
        .replaceAll(' ', '-');
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      return count === 0 ? name : `${name}-${count}`;
    });
  return new Set(anchors);
}

/** What a page is made of, whatever its language: headings by their depth, lists and tables by their length, pictures and code. */
export function shapeOf({ tokens }: Document): string[] {
  return tokensOf(tokens).flatMap((token) => {
    if (isHeading(token)) return [`heading ${token.depth}`];
    if (isList(token)) return [`list of ${token.items.length}`];
    if (isTable(token)) return [`table of ${token.rows.length}`];
    if (isCode(token)) return [`code ${token.text}`];
    return isImage(token) ? ['picture'] : [];
  });
}

/** Lines of code, in blocks and between words. */
export function codeOf({ tokens }: Document): string[] {
  return tokensOf(tokens).flatMap((token) => {
    if (isCode(token)) return token.text.split('\n');
    return isCodespan(token) ? [token.text] : [];
  });
}

function tokensOf(tokens: Token[]): Token[] {
  const all: Token[] = [];
  void walkTokens(tokens, (token) => {
    all.push(token);
  });
  return all;
}

// Marked's `Tokens.Generic` is any of them for the compiler, so that `type` alone tells it nothing.
const isLink = (token: Token): token is Tokens.Link => token.type === 'link';
const isImage = (token: Token): token is Tokens.Image => token.type === 'image';
const isHeading = (token: Token): token is Tokens.Heading => token.type === 'heading';
const isList = (token: Token): token is Tokens.List => token.type === 'list';
const isTable = (token: Token): token is Tokens.Table => token.type === 'table';
const isCode = (token: Token): token is Tokens.Code => token.type === 'code';
const isCodespan = (token: Token): token is Tokens.Codespan => token.type === 'codespan';
