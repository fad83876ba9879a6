import { createRouterClient } from '@orpc/server';
import {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  ipcMain,
  Menu,
  nativeTheme,
  Notification,
  protocol,
  safeStorage,
  session,
  shell,
  utilityProcess,
} from 'electron';
import type { AppUpdater } from 'electron-updater';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PunaError } from '../shared/error.ts';
import { createApp } from './app.ts';
import { appScheme, serveFolder } from './electron/app-protocol.ts';
import { reloadAfterCrash } from './electron/crash.ts';
import { utilityProcessLauncher } from './electron/engine-process.ts';
import { tellAndLeave } from './electron/failure.ts';
import { guardContents, guardSession } from './electron/guards.ts';
import { contextMenuTemplate, menuTemplate } from './electron/menu.ts';
import { linkScheme } from './electron/open-request.ts';
import { OpenRequests } from './electron/open-requests.ts';
import { answerOpenRequest } from './electron/open.ts';
import { isOwnPage, packagedPage, scheme } from './electron/page.ts';
import { closeBeforeQuit } from './electron/quit.ts';
import { KeychainSecrets } from './electron/secrets.ts';
import { followSettings } from './electron/settings.ts';
import { holdSingleInstance } from './electron/single-instance.ts';
import { UpdateSearch } from './electron/updates.ts';
import { bringToFront, windowBackground, windowOptions } from './electron/window.ts';
import { type Words, wordsFor } from './electron/words.ts';
import { followWork } from './electron/work.ts';
import { acceptPorts } from './rpc/message-port.ts';
import { secretsFile } from './secrets/index.ts';
import { resourcesPlace } from './starter/index.ts';
import { dataFolder, makeDataFolder } from './storage/index.ts';

// The Electron shell. Here its parts are connected; each part is in electron/. Electron waits for this file to be read to
// its end before it is ready, so nothing here may wait for that at the top level.

/** While developing, electron-vite serves the page and names its address. */
const page = (!app.isPackaged && process.env['ELECTRON_RENDERER_URL']) || packagedPage;

/** Of `process.argv`, what is the program: while developing, also the folder that Electron is given. */
const programWords = app.isPackaged ? 1 : 2;

let mainWindow: BrowserWindow | undefined;
let words: Words = wordsFor('en', []);

try {
  const folder = chooseDataFolder();
  app.enableSandbox();
  protocol.registerSchemesAsPrivileged([appScheme]);
  if (holdSingleInstance(app, () => mainWindow)) {
    const openRequests = new OpenRequests(app, {
      words: process.argv.slice(programWords),
      folder: process.cwd(),
      skipped: programWords,
    });
    // On macOS and Linux the installed app's description registers the link.
    if (app.isPackaged && process.platform === 'win32') app.setAsDefaultProtocolClient(linkScheme);
    app
      .whenReady()
      .then(() => start(folder, openRequests))
      .catch(fail);
  } else {
    app.exit(0);
  }
} catch (thrown) {
  fail(thrown);
}

/** The same folder as the browser shell's, so that both show the same conversations; Chromium's own files lie in a corner of it. */
function chooseDataFolder(): string {
  const { values } = parseArgs({
    args: process.argv.slice(programWords),
    options: { data: { type: 'string' } },
    // Chromium has switches of its own.
    strict: false,
  });
  const folder = dataFolder(typeof values.data === 'string' ? values.data : undefined);
  const chromium = join(folder, 'electron');
  makeDataFolder(folder, 'electron');
  app.setPath('userData', folder);
  app.setPath('sessionData', chromium);
  return folder;
}

async function start(folder: string, openRequests: OpenRequests): Promise<void> {
  const updates = new UpdateSearch(hasFeed() ? loadUpdater : null);
  const puna = await createApp({
    dataFolder: folder,
    shell: 'electron',
    launchEngine: utilityProcessLauncher(utilityProcess.fork, { lendsFork: app.isPackaged }),
    pickModels,
    updates: () => updates.status(),
    showFolder,
    secrets: new KeychainSecrets(safeStorage, secretsFile(folder)),
    trash: (path) => shell.trashItem(path),
    resources: app.isPackaged ? join(process.resourcesPath, 'resources') : resourcesPlace(),
  });
  const quitting = new AbortController();
  closeBeforeQuit(app, () => {
    quitting.abort();
    return puna.close();
  });

  guardSession(session.defaultSession, { page });
  app.on('web-contents-created', (_event, contents) =>
    guardContents(contents, { page, openExternal: (address) => shell.openExternal(address) }),
  );
  protocol.handle(scheme, serveFolder(join(import.meta.dirname, '../renderer')));
  acceptPorts(ipcMain, puna.router, (frame) => frame.parent === null && isOwnPage(frame.url, page));

  await followSettings(
    puna.router,
    ({ theme, language, updates: wantsUpdates }) => {
      updates.follow(wantsUpdates);
      nativeTheme.themeSource = theme;
      words = wordsFor(language, app.getPreferredSystemLanguages());
      showMenu(folder);
    },
    quitting.signal,
  );
  await followWork(
    puna.router,
    {
      window: () => mainWindow,
      createNotification: (options) => new Notification(options),
      show: () => (mainWindow ? bringToFront(mainWindow) : openWindow()),
      words: () => words,
    },
    quitting.signal,
  );
  nativeTheme.on('updated', () =>
    mainWindow?.setBackgroundColor(windowBackground(nativeTheme.shouldUseDarkColors)),
  );

  app.on('activate', () => (mainWindow ? mainWindow.show() : openWindow()));
  // On macOS a program stays, without a window, until it is told to quit.
  app.on('window-all-closed', () => process.platform !== 'darwin' && app.quit());
  openWindow();
  const { models } = createRouterClient(puna.router);
  openRequests.follow((request) => {
    const addModel = (path: string) => models.add({ path });
    answerOpenRequest(request, { addModel, words: () => words, ask, show: showPage }).catch(
      (error: unknown) => console.error(error),
    );
  });
}

/** Whether whoever built this has said where newer versions are; electron-builder then leaves a file that electron-updater reads. */
function hasFeed(): boolean {
  return app.isPackaged && existsSync(join(process.resourcesPath, 'app-update.yml'));
}

async function loadUpdater(): Promise<AppUpdater> {
  const { autoUpdater } = await import('electron-updater');
  return autoUpdater;
}

function showPage(hash: string): void {
  if (!mainWindow) return openWindow(hash);
  bringToFront(mainWindow);
  // What another program asks for ends nothing, whatever comes of it.
  mainWindow.loadURL(page + hash).catch((error: unknown) => console.error(error));
}

function ask(options: Electron.MessageBoxOptions): Promise<Electron.MessageBoxReturnValue> {
  return mainWindow ? dialog.showMessageBox(mainWindow, options) : dialog.showMessageBox(options);
}

function openWindow(hash = ''): void {
  const window = new BrowserWindow(
    windowOptions({
      preload: join(import.meta.dirname, '../preload/index.cjs'),
      dark: nativeTheme.shouldUseDarkColors,
      platform: process.platform,
      packaged: app.isPackaged,
    }),
  );
  mainWindow = window;
  window.on('closed', () => (mainWindow = undefined));
  window.once('ready-to-show', () => window.show());
  window.webContents.on('context-menu', (_event, parameters) => {
    const items = contextMenuTemplate(parameters, words, (text) => clipboard.writeText(text));
    if (items.length > 0) Menu.buildFromTemplate(items).popup({ window });
  });
  reloadAfterCrash(window.webContents, (reason) =>
    fail(
      new PunaError('internal', `The window's process keeps ending (${reason}).`, 'Please start Puna again.'),
    ),
  );
  window.loadURL(page + hash).catch((error: NodeJS.ErrnoException) => {
    // Loading it anew ends the first load, which is no failure.
    if (error.code !== 'ERR_ABORTED') fail(error);
  });
}

function showMenu(folder: string): void {
  const template = menuTemplate({
    words,
    platform: process.platform,
    packaged: app.isPackaged,
    openDataFolder: () => void shell.openPath(folder),
  });
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

async function showFolder(path: string): Promise<void> {
  const failure = await shell.openPath(path);
  if (failure) throw new PunaError('internal', `The folder ${path} cannot be shown: ${failure}`);
}

async function pickModels(): Promise<string[]> {
  const options: Electron.OpenDialogOptions = {
    title: words.pickModels,
    filters: [{ name: words.ggufFiles, extensions: ['gguf'] }],
    properties: ['openFile', 'multiSelections'],
  };
  const { filePaths } = await (mainWindow
    ? dialog.showOpenDialog(mainWindow, options)
    : dialog.showOpenDialog(options));
  return filePaths;
}

function fail(thrown: unknown): void {
  tellAndLeave(thrown, { app, dialog });
}
