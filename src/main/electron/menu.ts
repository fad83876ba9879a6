import type { ContextMenuParams, MenuItemConstructorOptions } from 'electron';
import type { Words } from './words.ts';

interface MenuCircumstances {
  words: Words;
  platform: NodeJS.Platform;
  packaged: boolean;
  openDataFolder: () => void;
}

const line: MenuItemConstructorOptions = { type: 'separator' };

/**
 * The menu bar: what the system expects of every program, with its usual shortcuts. What belongs to a conversation is in
 * the page, with shortcuts of its own, so that the browser shell has it too.
 */
export function menuTemplate(circumstances: MenuCircumstances): MenuItemConstructorOptions[] {
  const { words, platform, packaged, openDataFolder } = circumstances;
  const mac = platform === 'darwin';
  const appMenu: MenuItemConstructorOptions = {
    label: 'Puna',
    submenu: [
      { role: 'about', label: words.about },
      line,
      { role: 'hide', label: words.hide },
      { role: 'hideOthers', label: words.hideOthers },
      { role: 'unhide', label: words.showAll },
      line,
      { role: 'quit', label: words.quit },
    ],
  };
  const fileMenu: MenuItemConstructorOptions = {
    label: words.file,
    submenu: [
      { label: words.openDataFolder, click: openDataFolder },
      line,
      mac ? { role: 'close', label: words.close } : { role: 'quit', label: words.quit },
    ],
  };
  const editMenu: MenuItemConstructorOptions = {
    label: words.edit,
    submenu: [
      { role: 'undo', label: words.undo },
      { role: 'redo', label: words.redo },
      line,
      { role: 'cut', label: words.cut },
      { role: 'copy', label: words.copy },
      { role: 'paste', label: words.paste },
      { role: 'pasteAndMatchStyle', label: words.pasteAsText },
      { role: 'selectAll', label: words.selectAll },
    ],
  };
  const viewMenu: MenuItemConstructorOptions = {
    label: words.view,
    submenu: [
      { role: 'resetZoom', label: words.actualSize },
      { role: 'zoomIn', label: words.zoomIn },
      { role: 'zoomOut', label: words.zoomOut },
      line,
      { role: 'togglefullscreen', label: words.fullScreen },
    ],
  };
  const windowMenu: MenuItemConstructorOptions = {
    role: 'windowMenu',
    label: words.window,
    submenu: [
      { role: 'minimize', label: words.minimize },
      { role: 'zoom', label: words.zoom },
      line,
      { role: 'front', label: words.front },
    ],
  };
  const developMenu: MenuItemConstructorOptions = {
    label: words.develop,
    submenu: [
      { role: 'reload', label: words.reload },
      { role: 'toggleDevTools', label: words.developerTools },
    ],
  };
  return [
    ...(mac ? [appMenu] : []),
    ...[fileMenu, editMenu, viewMenu],
    ...(mac ? [windowMenu] : []),
    ...(packaged ? [] : [developMenu]),
  ];
}

/** The menu of the right mouse button, which Electron leaves to the program; empty where there is nothing to do. */
export function contextMenuTemplate(
  { isEditable, selectionText, linkURL, editFlags }: ContextMenuParams,
  words: Words,
  copyText: (text: string) => void,
): MenuItemConstructorOptions[] {
  const selected = selectionText.trim() !== '';
  if (isEditable) {
    return [
      { role: 'undo', label: words.undo, enabled: editFlags.canUndo },
      { role: 'redo', label: words.redo, enabled: editFlags.canRedo },
      line,
      { role: 'cut', label: words.cut, enabled: editFlags.canCut && selected },
      { role: 'copy', label: words.copy, enabled: editFlags.canCopy && selected },
      { role: 'paste', label: words.paste, enabled: editFlags.canPaste },
      { role: 'selectAll', label: words.selectAll, enabled: editFlags.canSelectAll },
    ];
  }
  return [
    ...(selected ? [{ role: 'copy', label: words.copy } as const] : []),
    ...(linkURL ? [{ label: words.copyLink, click: () => copyText(linkURL) }] : []),
  ];
}
