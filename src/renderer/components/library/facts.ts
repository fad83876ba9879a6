import type { Model } from '../../../shared/contract/index.ts';
import { bytes, parameters } from '../../lib/figures.ts';
import { t } from '../../lib/i18n.svelte.ts';

/** A model in one short line: `7.2B weights · Q4_K_M · 4.4 GB`. */
export function modelFacts(model: Model): string {
  return [
    model.parameters === null ? null : t('models.weights', { number: parameters(model.parameters) }),
    model.quantization,
    bytes(model.bytes),
  ]
    .filter((fact) => fact !== null)
    .join(' · ');
}
