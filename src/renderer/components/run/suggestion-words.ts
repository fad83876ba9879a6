import type { Suggestion } from '../../../shared/contract/index.ts';
import { bytes, duration, whole } from '../../lib/figures.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { rateText } from './words.ts';

/** In one sentence: what Puna chose, how long it will take, and how much memory. */
export function sentenceOf({
  settings,
  examples,
  validationExamples,
  steps,
  seconds,
  bytes: memory,
}: Suggestion): string {
  const { trained, rank, epochs } = settings;
  const bySteps = settings.steps !== null;
  const key = trained === 'adapters' ? 'sentence' : 'sentenceAll';
  const sentence = t(`runs.form.${bySteps ? (`${key}Steps` as const) : key}`, {
    rank: whole(rank),
    often: t('runs.form.often', { count: epochs, number: rateText(epochs) }),
    steps: t('runs.form.steps', { count: steps, number: whole(steps) }),
    examples: t('runs.form.examples', { count: examples, number: whole(examples) }),
    time:
      seconds === null
        ? t('runs.form.timeUnknown')
        : t('runs.form.time', { time: duration(seconds, 'long') }),
    memory: bytes(memory),
  });
  if (validationExamples === 0) return t('runs.form.keptNone', { sentence });
  return t('runs.form.kept', { count: validationExamples, number: whole(validationExamples), sentence });
}
