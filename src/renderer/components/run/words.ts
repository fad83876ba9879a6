import type { TrainingRun } from '../../../shared/contract/index.ts';
import { ageText } from '../../lib/age.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';
import { lastPart } from '../../lib/paths.ts';

/** What a run learns from, by name. */
export function dataOf({ datasets, data }: Pick<TrainingRun, 'datasets' | 'data'>): string {
  const names = datasets.length > 0 ? datasets.map(({ name }) => name) : data.map(lastPart);
  return new Intl.ListFormat(locale(), { type: 'conjunction', style: 'narrow' }).format(names);
}

/** What a run is called: by its person, otherwise after the model and what it is taught. */
export function titleOf(run: TrainingRun): string {
  return run.name || t('runs.titleOf', { model: run.modelName, data: dataOf(run) });
}

/** What runs are called beside each other: those of the same name are told apart by their age. */
export function titlesOf(runs: readonly TrainingRun[], now: number): string[] {
  const titles = runs.map(titleOf);
  return titles.map((title, index) => {
    const alone = titles.indexOf(title) === titles.lastIndexOf(title);
    return alone ? title : `${title} · ${ageText(runs[index]?.createdAt ?? now, now)}`;
  });
}

/** A loss in nats, or a perplexity, as exact as eyes can use. */
export function lossText(loss: number | null): string {
  if (loss === null) return '–';
  const digits = loss < 10 ? 3 : loss < 100 ? 2 : 1;
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(loss);
}

/** A perplexity: three digits say all that there is to say. */
export function perplexityText(loss: number): string {
  return new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(Math.exp(loss));
}

/** A small number such as a learning rate: `2e-4` is how everyone writes it. */
export function rateText(rate: number): string {
  if (rate === 0 || (rate >= 0.001 && rate < 1000)) {
    return new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(rate);
  }
  return rate
    .toExponential(2)
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e');
}
