import type { AppUpdater } from 'electron-updater';
import type { Updates } from '../../shared/contract/index.ts';

/** What is used of electron-updater. */
type Updater = Pick<AppUpdater, 'autoDownload' | 'autoInstallOnAppQuit' | 'checkForUpdates' | 'on'>;

/** A day is soon enough for a program that runs offline. */
const pauseMilliseconds = 24 * 3600 * 1000;

/**
 * Looks for newer versions, fetches them and leaves them to be installed at the end; only while the person wants that, and only in a build
 * that was told where to look. Otherwise electron-updater is not even loaded.
 */
export class UpdateSearch {
  readonly #load: (() => Promise<Updater>) | null;
  #updater: Promise<Updater> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #ready: string | null = null;

  /** `load`: null where nobody can be asked. */
  constructor(load: (() => Promise<Updater>) | null) {
    this.#load = load;
  }

  status(): Updates {
    return { isConfigured: this.#load !== null, ready: this.#ready };
  }

  /** Begins to look for newer versions, or ends it. What was fetched before that is still installed. */
  follow(isWanted: boolean): void {
    if (this.#load === null || isWanted === (this.#timer !== null)) return;
    if (this.#timer) {
      clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    this.#timer = setInterval(() => void this.#look(), pauseMilliseconds);
    this.#timer.unref();
    void this.#look();
  }

  async #look(): Promise<void> {
    if (!this.#load) return;
    try {
      this.#updater ??= this.#load().then((updater) => this.#prepare(updater));
      const updater = await this.#updater;
      // It may have been turned off in the meantime.
      if (this.#timer) await updater.checkForUpdates();
    } catch (error) {
      // No line, or a feed that is gone: there will be another day.
      console.error(error);
    }
  }

  #prepare(updater: Updater): Updater {
    updater.autoDownload = true;
    updater.autoInstallOnAppQuit = true;
    updater.on('update-downloaded', ({ version }) => (this.#ready = version));
    // `checkForUpdates` rejects as well; without a listener the event would be thrown.
    updater.on('error', () => undefined);
    return updater;
  }
}
