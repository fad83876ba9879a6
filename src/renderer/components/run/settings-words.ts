import type { TrainingSettings } from '../../../shared/contract/index.ts';
import { bytes, whole } from '../../lib/figures.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { rateText } from './words.ts';

/** What a setting is set to, in words. */
export function settingText(settings: TrainingSettings, key: keyof TrainingSettings): string {
  switch (key) {
    case 'trained':
    case 'schedule':
    case 'recompute':
    case 'device':
      return t(`runs.choices.${settings[key]}`);
    case 'rankStabilized':
    case 'exact':
      return t(settings[key] ? 'runs.list.yes' : 'runs.list.no');
    case 'targets':
      return settings.targets.join(' ');
    case 'steps':
    case 'clip':
    case 'patience':
    case 'sampleEvery':
    case 'threads':
    case 'memoryLimit': {
      const value = settings[key];
      if (value === null) return t(`runs.settings.${key}Empty`);
      return key === 'memoryLimit' ? bytes(value) : rateText(value);
    }
    default: {
      const value = settings[key];
      return Number.isInteger(value) ? whole(value) : rateText(value);
    }
  }
}
