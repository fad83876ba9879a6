import { fileURLToPath } from 'node:url';
import open from 'open';
import moveToTrash from 'trash';
import { type App, createApp } from './app.ts';
import { launchChildProcess } from './engine/index.ts';
import { browserToken } from './web/token.ts';
import { startWebServer, type WebServer } from './web/server.ts';

/** The telephone keys of P, U, N, A. Fixed, so that a bookmark keeps working. */
const usualPort = 7862;

export interface ServeOptions {
  dataFolder: string;
  /** The folder of what comes with Puna, such as the starter model; null: nothing does. */
  resources: string | null;
  /** Undefined: the usual one, or any free one where that is taken. */
  port?: number | undefined;
  /** Opens the API, too, whatever the setting says; without a port, on that of the setting. */
  api?: { port?: number | undefined } | undefined;
}

export interface RunningShell {
  /** What a person opens in a browser; it carries the token. */
  link: string;
  port: number;
  /** Null unless it was asked for. */
  api: { address: string; key: string } | null;
  close(): Promise<void>;
}

/** The browser shell: the app behind a web server on 127.0.0.1. Errors: those of `createApp`, and `port-in-use`. */
export async function serve({ dataFolder, resources, port, api }: ServeOptions): Promise<RunningShell> {
  const app = await createApp({
    ...{ dataFolder, resources, shell: 'browser', launchEngine: launchChildProcess },
    // Names of models may have the signs of patterns.
    trash: (path) => moveToTrash(path, { glob: false }),
    ...(hasDesktop() && { showFolder: async (path: string) => void (await open(path)) }),
  });
  try {
    const opened = api ? await app.api.open(api.port) : null;
    const server = await listen(app, dataFolder, port);
    return {
      api: opened && { address: opened.address ?? '', key: opened.key },
      link: server.link,
      port: server.port,
      async close() {
        await server.close();
        await app.close();
      },
    };
  } catch (thrown) {
    await app.close();
    throw thrown;
  }
}

/** Whether this machine shows windows to somebody; elsewhere Linux has no file manager either. */
function hasDesktop(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform !== 'linux' || Boolean(DISPLAY) || Boolean(WAYLAND_DISPLAY);
}

async function listen(app: App, dataFolder: string, port: number | undefined): Promise<WebServer> {
  const options = { router: app.router, folder: rendererFolder(), token: browserToken(dataFolder) };
  if (port !== undefined) return startWebServer({ ...options, port });
  try {
    return await startWebServer({ ...options, port: usualPort });
  } catch {
    return startWebServer({ ...options, port: 0 });
  }
}

/** The built renderer: beside the bundled main process, or in `out` when this runs from the sources. */
function rendererFolder(): string {
  const relative = import.meta.url.endsWith('.ts') ? '../../out/renderer' : '../renderer';
  return fileURLToPath(new URL(relative, import.meta.url));
}
