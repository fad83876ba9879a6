import { toast } from 'svelte-sonner';
import type { Notice } from '../../shared/contract/index.ts';
import { t } from './i18n.svelte.ts';

/** Long enough to be read by someone who was doing something else, in milliseconds. */
const shownFor = 10_000;

/** Tells what happened by itself. */
export function tellNotice(notice: Notice): void {
  // The same one again takes the place of the first.
  toast.info(t(`notice.${notice}`), { id: notice, duration: shownFor });
}
