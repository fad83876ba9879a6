import { toast } from 'svelte-sonner';
import { tellFailure } from './failure.ts';
import { t } from './i18n.svelte.ts';

/** How long an undo is offered, in milliseconds: long enough to read it and to reach it by keyboard (Alt+T). */
const offeredFor = 10_000;

/** Says what was done, and takes it back if the person wants that. */
export function offerUndo(done: string, undo: () => Promise<unknown>): void {
  toast(done, {
    action: { label: t('app.undo'), onClick: () => void undo().catch(tellFailure) },
    duration: offeredFor,
  });
}

/**
 * For what cannot be brought back: it is done only when the undo is no longer offered. A window that closes before that
 * has done nothing.
 */
export function doUnlessUndone(
  done: string,
  { really, undo }: { really: () => Promise<unknown>; undo: () => void },
): void {
  let undone = false;
  const end = (): void => {
    if (!undone) really().catch(tellFailure);
  };
  toast(done, {
    action: {
      label: t('app.undo'),
      onClick: () => {
        undone = true;
        undo();
      },
    },
    duration: offeredFor,
    onAutoClose: end,
    onDismiss: end,
  });
}
