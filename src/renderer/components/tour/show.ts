import { tick } from 'svelte';
import { goTo, type Route } from '../../lib/router.svelte.ts';

/** Air above the part, in pixels. */
const margin = 12;

/** Opens a page, and scrolls its content to a part of it once that is there. */
export async function show(route: Route, part?: string): Promise<void> {
  goTo(route);
  if (part === undefined) return;
  await tick();
  const place = document.getElementById(part);
  const content = place?.closest('.page-content');
  if (!place || !content) return;
  content.scrollTop += place.getBoundingClientRect().top - content.getBoundingClientRect().top - margin;
}
