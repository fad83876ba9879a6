import type { Model } from '../../../shared/contract/index.ts';
import { type FailureWords, wordsOf } from '../../lib/failure.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** What is known against a model: why it could not be loaded just now, or what was found wrong with its file; null: nothing. */
export function faultOf({ id, broken }: Model): FailureWords | null {
  const { engine } = app;
  const failure = engine?.modelId === id && engine.state !== 'stopped' ? engine.failure : broken;
  return failure && wordsOf(failure);
}
