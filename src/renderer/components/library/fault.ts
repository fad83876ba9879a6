import type { Failure, Model } from '../../../shared/contract/index.ts';
import { type FailureWords, wordsOf } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** What is known against a model: why it could not be loaded just now, or what was found wrong with its file; null: nothing. */
export function faultOf(model: Model): FailureWords | null {
  const failure = failureOf(model);
  return failure && wordsOf(failure);
}

/** Why a model would not answer, in a sentence; null: nothing is known against it. `told`: why it could not be loaded is told elsewhere. */
export function markOf(model: Model, { told = false }: { told?: boolean } = {}): string | null {
  return fileMarkOf(model) ?? (told ? null : (faultOf(model)?.sentence ?? null));
}

/**
 * A model as an option among others, which is read aloud as it is shown: its label, and why it would not answer, or else a fact of it. As
 * there is one line for all of it, no more is said of a failure than its kind.
 */
export function optionOf(model: Model, { label = model.name, fact = '' } = {}): string {
  const failure = failureOf(model);
  const mark = fileMarkOf(model) ?? (failure ? t(`failure.${failure.code}`) : fact);
  return mark === '' ? label : `${label} · ${mark}`;
}

function failureOf({ id, broken }: Model): Failure | null {
  const { engine } = app;
  return engine?.modelId === id && engine.state !== 'stopped' ? engine.failure : broken;
}

function fileMarkOf({ missing, verified }: Model): string | null {
  if (missing) return t('models.missing');
  return verified?.result === 'damaged' ? t('library.damaged') : null;
}
