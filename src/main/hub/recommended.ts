import models from '../../../resources/recommended-models.json' with { type: 'json' };

/** A model that is worth a try, and why. */
export interface RecommendedModel {
  name: string;
  /** `OWNER/NAME` on the hub. */
  repository: string;
  /** Quantization to choose, as `puna models pull` takes it. */
  quantization: string;
  file: string;
  /** Of that file, or all its parts, about. */
  gigabytes: number;
  /** Number of weights, in billions. */
  billions: number;
  license: string;
  /** Those that it is good at, as ISO 639 has them. */
  languages: string[];
  why: { en: string; ko: string };
}

/** Smallest first. Kept as data, so that the list can be brought up to date without a change of the program. */
export const recommendedModels: readonly RecommendedModel[] = models;
