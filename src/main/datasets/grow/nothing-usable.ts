import { PunaError } from '../../../shared/error.ts';

/** What is said of a model of which nothing at all could be kept. */
export function nothingUsable(): PunaError {
  return new PunaError(
    'invalid-input',
    'The model has written nothing that can be learnt from.',
    'Choose a larger model, or one that was made for conversations.',
  );
}
