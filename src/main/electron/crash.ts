import type { WebContents } from 'electron';

/** A page that dies again this soon after it was loaded anew will not get better by itself. */
const recoveryMilliseconds = 10_000;

/** Loads a page again whose process died; main has kept everything that it showed. `giveUp` if that does not help. */
export function reloadAfterCrash(
  contents: Pick<WebContents, 'on' | 'reload'>,
  giveUp: (reason: string) => void,
  now: () => number = Date.now,
): void {
  let lastCrash = -Infinity;
  contents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return;
    const again = now() - lastCrash < recoveryMilliseconds;
    lastCrash = now();
    if (again) giveUp(reason);
    else contents.reload();
  });
}
