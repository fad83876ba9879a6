const name = String.raw`[\w.-]{1,96}`;
const bare = new RegExp(`^(${name}/${name})(?::[^/\\s]+)?$`);

/**
 * The repository that a person means with what they have typed or pasted: `OWNER/NAME`, also with a quantization behind a colon, or the
 * address of one of its pages on the hub or a mirror. Null for words to search for.
 */
export function repositoryNamed(text: string): string | null {
  const typed = text.trim();
  const plain = bare.exec(typed)?.[1];
  if (plain !== undefined) return plain;
  const url = URL.parse(/^(?:www\.)?(?:huggingface\.co|hf\.co)\//i.test(typed) ? `https://${typed}` : typed);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  const [owner, repository] = url.pathname.split('/').filter((part) => part !== '');
  return bare.exec(`${owner ?? ''}/${repository ?? ''}`)?.[1] ?? null;
}

/** Owner and name of a repository; old ones have no owner. */
export function partsOf(id: string): { owner: string; name: string } {
  const at = id.indexOf('/');
  return { owner: id.slice(0, Math.max(0, at)), name: id.slice(at + 1) };
}

/** An address that a stranger has written as one to be opened, seen from a page; null where it leads to no page. */
export function safeAddress(written: string, page: string): string | null {
  const url = URL.parse(written, `${page.replace(/\/$/, '')}/blob/main/`);
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : null;
}
