import { locale, type MessageKey, t } from '../../lib/i18n.svelte.ts';

/** A number as a badge has it: `1.2M`, `120만`. */
export function compact(count: number): string {
  return new Intl.NumberFormat(locale(), { notation: 'compact', maximumFractionDigits: 1 }).format(count);
}

/** A day as the hub tells it; null where it is none. */
export function dayText(iso: string | null): string | null {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(time) ? null : new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(time);
}

/** A language by its ISO 639 code; what is none stays as it is. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames(locale(), { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** The first languages, the person's own before all others: more of them fill a card. */
export function languagesText(codes: readonly string[], most: number): string {
  const own = codes.filter((code) => code === locale());
  const ordered = [...own, ...codes.filter((code) => code !== locale())];
  const list = ordered.slice(0, most).map(languageName).join(', ');
  const others = ordered.length - most;
  return others > 0 ? t('hub.recommended.others', { list, count: others }) : list;
}

/** What a quantization means for somebody who has never heard of one; null where its name does not tell. */
export function qualityOf(quantization: string | null): MessageKey | null {
  if (quantization === null) return null;
  if (/F(?:16|32)$/.test(quantization)) return 'hub.quality.whole';
  const bits = Number(/\d/.exec(quantization)?.[0] ?? Number.NaN);
  if (Number.isNaN(bits)) return null;
  if (bits <= 2) return 'hub.quality.tiny';
  if (bits === 3) return 'hub.quality.small';
  if (bits === 4) return 'hub.quality.balanced';
  return bits <= 6 ? 'hub.quality.fine' : 'hub.quality.close';
}
