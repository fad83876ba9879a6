import type { Attachment } from 'svelte/attachments';
import type { UntrustedHtml } from '../../lib/markdown/block.ts';
import { patchChildren } from '../../lib/markdown/patch.ts';
import { sanitize } from '../../lib/markdown/sanitize.ts';

/** Fills an element with sanitized HTML, and afterwards changes only what differs. */
export function shows(html: () => UntrustedHtml): Attachment<HTMLElement> {
  return (element) => {
    $effect(() => patchChildren(element, sanitize(html())));
  };
}
