import { type FormatCallback, convert, type HtmlToTextOptions } from 'html-to-text';

/** Deeper elements are left out: no page that a person wrote nests so deep, and each level costs stack. */
const maxDepth = 250;

/** Of long documents too: what is longer is refused before, not cut. */
const maxInputLength = 64 * 2 ** 20;

/** What a page has around what is to be read. */
const furniture = [
  ...['script', 'style', 'noscript', 'template', 'svg', 'iframe', 'object', 'head', 'dialog', 'annotation'],
  ...[
    'nav',
    'footer',
    'aside',
    'body > header',
    'form',
    'button',
    'select',
    '[hidden]',
    '[aria-hidden="true"]',
  ],
  ...['[role="navigation"]', '[role="banner"]', '[role="contentinfo"]', '[role="search"]'],
];

/** What mail programs put around the message that is answered. */
const quotes = [
  ...['blockquote', '.gmail_quote', '.gmail_attr', '.moz-cite-prefix', '.yahoo_quoted', '.gmail_signature'],
  ...['.moz-signature', '#Signature'],
];

/** Where Outlook begins the message that is answered, which then stands beside the answer and not in an element of its own. */
const borderSelectors = ['#divRplyFwdMsg', '#appendonsend'];

/** As its mails in plain text have it. */
const border: FormatCallback = (_element, _walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 });
  builder.addLiteral('-----Original Message-----');
  builder.closeBlock({ trailingLineBreaks: 1 });
};

const skipped = (selectors: readonly string[]) => selectors.map((selector) => ({ selector, format: 'skip' }));

/** A table as lines of cells. Without columns set in line: a model would learn to count spaces. */
const tableLines: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 2 });
  walk(element.children, builder);
  builder.closeBlock({ trailingLineBreaks: 2 });
};

const rowLine: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 });
  const cells = element.children.filter(({ name }) => name === 'td' || name === 'th');
  for (const [index, cell] of cells.entries()) {
    if (index > 0) builder.addLiteral(' | ');
    for (const [at, child] of cell.children.entries()) {
      // Programs put a paragraph into each cell; it must not end the line.
      const isBlock = child.name === 'p' || child.name === 'div';
      if (isBlock && at > 0) builder.addInline(' ');
      walk(isBlock ? child.children : [child], builder);
    }
  }
  builder.closeBlock({ trailingLineBreaks: 1 });
};

const common: HtmlToTextOptions = {
  wordwrap: false,
  limits: { maxInputLength, maxDepth, ellipsis: '' },
};

const asRead = [
  { selector: 'img', format: 'skip' },
  { selector: 'a', options: { ignoreHref: true } },
  ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  { selector: 'ul', options: { itemPrefix: '- ' } },
];

/** The text of a page as a person reads it: its main part, where the page says which one that is. */
export function textOfPage(html: string): string {
  return convert(html, {
    ...common,
    baseElements: { selectors: [mainOf(html)], returnDomByDefault: true },
    formatters: { tableLines, rowLine },
    selectors: [
      ...asRead,
      { selector: 'table', format: 'tableLines' },
      { selector: 'tr', format: 'rowLine' },
      ...skipped(furniture),
    ],
  }).trim();
}

/** The text of a mail in HTML, without what it answers. Tables only set things in place there. */
export function textOfMail(html: string): string {
  const borders = borderSelectors.map((selector) => ({ selector, format: 'border' }));
  const selectors = [...asRead, ...borders, ...skipped([...furniture, ...quotes])];
  return convert(html, { ...common, formatters: { border }, selectors });
}

function mainOf(html: string): string {
  if (/<main[\s>]/i.test(html)) return 'main';
  if (/role=["']?main\b/i.test(html)) return '[role="main"]';
  // Several of them are a list of articles, each of which is only begun.
  return html.match(/<article[\s>]/gi)?.length === 1 ? 'article' : 'body';
}
