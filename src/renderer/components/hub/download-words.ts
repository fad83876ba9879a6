import type { Download } from '../../../shared/contract/index.ts';
import { bytes, duration, percent } from '../../lib/figures.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';

/** How much of it is there, between 0 and 1. */
export function shareOf({ bytes: total, doneBytes }: Pick<Download, 'bytes' | 'doneBytes'>): number {
  return total === 0 ? 0 : Math.min(1, doneBytes / total);
}

/** All bytes are there, and are being looked at. */
export function isChecking(download: Download): boolean {
  return download.state === 'working' && download.bytes > 0 && download.doneBytes >= download.bytes;
}

/** How it stands, in words. */
export function stateText(download: Download): string {
  const { state, retryAt } = download;
  if (retryAt !== null) return t('hub.downloads.retryAt', { time: clock(retryAt) });
  return t(isChecking(download) ? 'hub.downloads.checking' : `hub.downloads.states.${state}`);
}

/** How far it is, how fast and how long it will take, as far as that is known. */
export function progressFacts(download: Download): string[] {
  const { state, doneBytes, bytes: total, bytesPerSecond, secondsLeft } = download;
  const working = state === 'working' && !isChecking(download);
  return [
    percent(shareOf(download)),
    t('hub.downloads.of', { done: bytes(doneBytes), total: bytes(total) }),
    working && bytesPerSecond ? t('hub.downloads.speed', { speed: bytes(bytesPerSecond) }) : null,
    working && secondsLeft !== null ? t('hub.downloads.left', { time: duration(secondsLeft) }) : null,
  ].filter((fact) => fact !== null);
}

/** The time of day. */
function clock(time: number): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'short' }).format(time);
}
