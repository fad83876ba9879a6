/** Shortcuts as people of this system know them. */
const mac = /^(Mac|iP)/.test(navigator.platform);

/** Names of the keys, to be shown. */
export const commandKey = mac ? '⌘' : 'Ctrl';
export const shiftKey = mac ? '⇧' : 'Shift';

/** Whether ⌘ is held (elsewhere Ctrl), and Alt is not: on a Mac, Ctrl with a letter moves the cursor in texts. */
export function commandHeld(event: KeyboardEvent): boolean {
  return (mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey) && !event.altKey;
}

const signs: Record<string, string> = { Comma: ',', Period: '.', Slash: '/' };

/**
 * The key as it is on a Latin keyboard, in lower case: in Hangul mode, the key K gives `ㅏ`, and shortcuts must work all
 * the same.
 */
export function latinKey({ key, code }: Pick<KeyboardEvent, 'key' | 'code'>): string {
  if (/^[\u0020-\u007e]$/.test(key) || key.length > 1) return key.toLowerCase();
  return /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? signs[code] ?? key;
}
