import { t } from './i18n.svelte.ts';

/** Where a model is computed, which the program says in English, such as `CPU, 7 threads`, in the words of the page. */
export function deviceText(device: string): string {
  const [, processor, threads] = /^(.+), (\d+) threads?$/.exec(device) ?? [];
  if (processor) return t('machine.onThreads', { name: processor, count: Number(threads) });
  const [, card, layers, all] = /^(.+), (\d+) of (\d+) layers$/.exec(device) ?? [];
  return card ? t('machine.onLayers', { name: card, layers, all }) : device;
}
