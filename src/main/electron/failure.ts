import type { App, Dialog } from 'electron';
import { PunaError } from '../../shared/error.ts';

/** Says why there is no window, in one sentence with what to do about it, and leaves. */
export function tellAndLeave(
  thrown: unknown,
  { app, dialog }: { app: Pick<App, 'exit'>; dialog: Pick<Dialog, 'showErrorBox'> },
): void {
  const { message, remedy } = PunaError.from(thrown);
  console.error(thrown);
  dialog.showErrorBox('Puna', `${message}\n${remedy}`.trim());
  app.exit(1);
}
