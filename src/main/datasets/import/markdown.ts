import { maxTextBytes } from '../limits.ts';
import { extensionOf, wholeText } from './file-text.ts';
import { documents } from './whole-document.ts';

const extensions = new Set(['.md', '.markdown', '.mdown', '.mkd', '.mdx', '.qmd', '.rmd']);

/** What programs that publish pages read before the text, in YAML or TOML; a byte order mark is gone by then. */
const frontMatter =
  /^(?:---[ \t]*\n(?:[\s\S]*?\n)??(?:---|\.\.\.)|\+\+\+[ \t]*\n(?:[\s\S]*?\n)??\+\+\+)[ \t]*(?:\n\s*|$)/;

/** Markdown as it stands, without front matter: a model writes Markdown too. */
export const markdown = documents(
  'markdown',
  ({ path, text, archive }) => text !== null && !archive && extensions.has(extensionOf(path)),
  async (path, options) => withoutFrontMatter(await wholeText(path, maxTextBytes, options)),
);

/** A rule at the beginning is no front matter: that has keys with values, or nothing. */
function withoutFrontMatter(text: string): string {
  const found = frontMatter.exec(text)?.[0];
  if (found === undefined) return text;
  const lines = found.trim().split('\n').slice(1, -1);
  const first = lines.find((line) => line.trim() !== '' && !line.startsWith('#'));
  return first === undefined || /^[\w"'.\p{L} -]+\s*[:=]/u.test(first) ? text.slice(found.length) : text;
}
