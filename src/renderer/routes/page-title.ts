import { titleOf } from '../components/run/words.ts';
import { t } from '../lib/i18n.svelte.ts';
import type { Route } from '../lib/router.svelte.ts';
import { app } from '../lib/stores/app.svelte.ts';

/** What is in view, from the particular to the general: the window's title, by which tabs and history tell pages apart. */
export function pageTitle(route: Route): string {
  return [...partsOf(route), 'Puna'].filter(Boolean).join(' — ');
}

function partsOf(route: Route): (string | undefined)[] {
  if (route.page === 'chat') return [app.open?.conversation?.title];
  const page = t(`nav.${route.page}`);
  if (route.page === 'teach') {
    const run = route.runId === undefined ? undefined : app.training.find(route.runId);
    const dataset = app.datasets.shown.find(({ id }) => id === route.datasetId);
    return [run ? titleOf(run) : dataset?.name, page];
  }
  if (route.page === 'models') {
    if (route.servers) return [t('servers.tab'), page];
    return [route.repository, route.discover ? t('hub.discover') : undefined, page];
  }
  if (route.page === 'settings' && route.diagnostics) return [t('upkeep.diagnostics.title'), page];
  return [page];
}
