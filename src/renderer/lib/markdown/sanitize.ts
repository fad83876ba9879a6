import createDOMPurify from 'dompurify';
import type { UntrustedHtml } from './block.ts';
import { drawFormula } from './formula.ts';

/**
 * HTML of a model as nodes that can do nothing: no script, no style, no class or id of ours, no form, no embedded or remote
 * content; links only to web and mail addresses, which open outside.
 */
const purifier = createDOMPurify(window);

const tags = [
  ...[
    'a',
    'abbr',
    'b',
    'blockquote',
    'br',
    'caption',
    'cite',
    'code',
    'dd',
    'del',
    'details',
    'dfn',
    'div',
    'dl',
    'dt',
    'em',
  ],
  ...[
    'figcaption',
    'figure',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'hr',
    'i',
    'img',
    'ins',
    'kbd',
    'li',
    'mark',
    'ol',
    'p',
    'pre',
  ],
  ...[
    'q',
    'rp',
    'rt',
    'ruby',
    's',
    'samp',
    'small',
    'span',
    'strong',
    'sub',
    'summary',
    'sup',
    'table',
    'tbody',
    'td',
    'tfoot',
  ],
  ...['th', 'thead', 'time', 'tr', 'u', 'ul', 'var', 'wbr'],
];
/** Attributes that say nothing but what the text is. */
const plainAttributes = [
  'align',
  'alt',
  'colspan',
  'data-math',
  'dir',
  'lang',
  'open',
  'rowspan',
  'start',
  'title',
];
const allowedAddress = /^(?:https?:|mailto:)/i;

/** The address as it is shown beside an image or link, such as `example.com`. */
function hostOf(address: string): string {
  const url = URL.parse(address);
  return url ? url.host || url.pathname : '';
}

function span(className: string, text: string): HTMLSpanElement {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
}

/** Opens outside, and tells the other side nothing. */
function makeExternal(link: HTMLAnchorElement): void {
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
}

/** An image is never loaded: that would tell its server what is read here. Its text and where it lies take its place. */
function imageChip(image: Element): HTMLElement {
  const source = image.getAttribute('src') ?? '';
  // The sanitizer lets images keep data: addresses, which are none to go to.
  const address = allowedAddress.test(source) ? source : '';
  const inLink = image.closest('a') !== null;
  const chip = document.createElement(address && !inLink ? 'a' : 'span');
  if (chip instanceof HTMLAnchorElement) {
    chip.href = address;
    makeExternal(chip);
  }
  chip.className = 'image-chip';
  const alt = image.getAttribute('alt')?.trim();
  if (alt) chip.append(span('image-alt', alt));
  if (address) chip.append(span('image-host', hostOf(address)));
  return chip;
}

function fillFormula(placeholder: Element): void {
  const display = placeholder.getAttribute('data-math') === 'display';
  const tex = placeholder.textContent;
  const drawn = drawFormula(tex, display);
  placeholder.className = drawn ? 'formula' : 'formula-source';
  if (drawn) placeholder.replaceChildren(drawn);
  placeholder.setAttribute('data-tex', tex);
}

/** What `html` shows, as nodes that are safe to put anywhere. */
export function sanitize(html: UntrustedHtml): DocumentFragment {
  const fragment = purifier.sanitize(html, {
    ALLOWED_TAGS: ['#text', ...tags],
    ALLOWED_ATTR: ['href', 'src', ...plainAttributes],
    ADD_URI_SAFE_ATTR: plainAttributes,
    ALLOWED_URI_REGEXP: allowedAddress,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const image of fragment.querySelectorAll('img')) {
    // Neither an address to go to nor a word on what it shows.
    const chip = imageChip(image);
    if (chip.hasChildNodes()) image.replaceWith(chip);
    else image.remove();
  }
  for (const link of fragment.querySelectorAll<HTMLAnchorElement>('a:not(.image-chip)')) {
    if (link.hasAttribute('href')) makeExternal(link);
    // An address that was refused: its text stays.
    else link.replaceWith(...link.childNodes);
  }
  for (const placeholder of fragment.querySelectorAll('[data-math]')) fillFormula(placeholder);
  return fragment;
}
