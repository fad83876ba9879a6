import type { CleanSettings } from '../../../../shared/contract/index.ts';
import { t } from '../../../lib/i18n.svelte.ts';

/** In one line, what will be cleaned. */
export function cleanLine(settings: CleanSettings): string {
  const { exactDuplicates, nearDuplicates, boilerplate, personalData, language } = settings;
  const parts = [
    exactDuplicates.on || nearDuplicates.on ? 'duplicates' : null,
    boilerplate.on ? 'boilerplate' : null,
    personalData.on ? 'personal-data' : null,
    settings.length.on ? 'length' : null,
    language.on ? 'language' : null,
  ] as const;
  const words = parts.flatMap((part) => (part === null ? [] : [t(`datasets.clean.short.${part}`)]));
  if (words.length === 0) return t('datasets.clean.none');
  return t('datasets.clean.line', { what: words.join(', ') });
}
