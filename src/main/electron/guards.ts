import type { Session, Shell, WebContents } from 'electron';
import { isOwnPage } from './page.ts';

/** What may be handed to the system when a person clicks a link; file: or a program's own scheme could start anything. */
const linkSchemes = ['https:', 'http:', 'mailto:'];

/**
 * Keeps a window on its page: no navigation, no further window, no webview. A link that asks for a new window opens in
 * the person's browser instead.
 */
export function guardContents(
  contents: Pick<WebContents, 'on' | 'setWindowOpenHandler'>,
  { page, openExternal }: { page: string; openExternal: Shell['openExternal'] },
): void {
  // Reloading its own page is all that a page may do.
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !isOwnPage(event.url, page)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    const address = URL.parse(url);
    if (address && linkSchemes.includes(address.protocol)) {
      // No browser is installed: nothing more to be done, and nothing lost.
      openExternal(address.href).catch(() => undefined);
    }
    return { action: 'deny' };
  });
}

/**
 * Denies a window everything that it does not need: camera, files, devices, notifications, and the network as a whole.
 * What remains is to copy text, and to save what the page itself made (an export).
 */
export function guardSession(
  session: Pick<
    Session,
    | 'setPermissionRequestHandler'
    | 'setPermissionCheckHandler'
    | 'setDevicePermissionHandler'
    | 'setDisplayMediaRequestHandler'
    | 'webRequest'
    | 'on'
  >,
  { page }: { page: string },
): void {
  const allowed = (permission: string, address: string) =>
    permission === 'clipboard-sanitized-write' && isOwnPage(address, page);
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(allowed(permission, requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, origin) => allowed(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler(null);

  // The content security policy says the same to the page; this also holds for what no policy covers.
  const web = ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*', 'file://*/*'];
  const ownHost = URL.parse(page)?.host;
  session.webRequest.onBeforeRequest({ urls: web }, ({ url }, answer) => {
    // While developing, the page comes from a server on this machine, with a WebSocket for reloading.
    answer({ cancel: URL.parse(url)?.host !== ownHost });
  });

  session.on('will-download', (event, item) => {
    if (!item.getURL().startsWith('blob:')) event.preventDefault();
  });
}
