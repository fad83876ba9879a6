/**
 * Small things that this window remembers for itself, such as what it looked like, in the browser's own storage. Where
 * that is switched off, they are forgotten and nothing else happens.
 */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`puna.${key}`);
  } catch {
    return null;
  }
}

/** Null forgets it. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`puna.${key}`);
    else localStorage.setItem(`puna.${key}`, value);
  } catch {
    // No storage, or no room in it.
  }
}
