import type { Model } from '../../../shared/contract/index.ts';
import { bytes, parameters } from '../../lib/figures.ts';

/** A model in one short line: `llama · 7.2B · Q4_K_M · 4.4 GB`. */
export function modelFacts(model: Model): string {
  return [
    model.architecture,
    model.parameters === null ? null : parameters(model.parameters),
    model.quantization,
    bytes(model.bytes),
  ]
    .filter((fact) => fact !== null)
    .join(' · ');
}
