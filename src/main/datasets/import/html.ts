import { extensionOf, wholeText } from './file-text.ts';
import { textOfPage } from './html-text.ts';
import { documents } from './whole-document.ts';

/** A page is in memory as a tree, which takes some ten times as much; the longest book on one page has some megabytes. */
const maxPageBytes = 16 * 2 ** 20;

const extensions = new Set(['.html', '.htm', '.xhtml']);
const beginning = /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]{0,2000}?-->\s*)*(?:<!doctype\s+html|<html[\s>])/i;

/** Pages of the web as a person reads them: without scripts, styles and what leads to other pages. */
export const html = documents(
  'html',
  ({ path, text, archive }) =>
    text !== null && !archive && (extensions.has(extensionOf(path)) || beginning.test(text)),
  async (path, options) => textOfPage(await wholeText(path, maxPageBytes, options)),
);
