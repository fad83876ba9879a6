/** Where the page lives in the desktop window: a scheme of its own, so that it is no file:// page and no web site. */
export const scheme = 'app';
export const packagedPage = `${scheme}://puna/`;

/** Whether an address lies within the one place that the window may show. Not by `origin`, which Node calls `null` for app://. */
export function isOwnPage(address: string, page: string): boolean {
  const [asked, own] = [URL.parse(address), URL.parse(page)];
  return asked !== null && own !== null && asked.protocol === own.protocol && asked.host === own.host;
}
