import english from '../../../../resources/seeds/en.json' with { type: 'json' };
import korean from '../../../../resources/seeds/ko.json' with { type: 'json' };
import type { SeedTask } from '../../../shared/contract/dataset.ts';

/** Tasks of Puna's own writing to begin self-instruct with; the build carries them along. */
export const ownSeeds: Record<'en' | 'ko', readonly SeedTask[]> = { en: english, ko: korean };
