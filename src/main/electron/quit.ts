import type { App } from 'electron';

/**
 * Saving a reply and stopping an engine takes a moment, and a training run ends its step first; an engine that hangs must not
 * keep Puna from quitting.
 */
const patienceMilliseconds = 30_000;

/** Quits only when everything is closed: windows go first and at once, then `close` saves and stops what runs. */
export function closeBeforeQuit(app: Pick<App, 'on' | 'exit'>, close: () => Promise<void>): void {
  let closing = false;
  app.on('will-quit', (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('Puna did not close in time.')), patienceMilliseconds);
    });
    Promise.race([close(), patience])
      .then(
        () => app.exit(0),
        (error: unknown) => {
          console.error(error);
          app.exit(1);
        },
      )
      .finally(() => clearTimeout(timer));
  });
}
