import { PunaError } from '../../shared/error.ts';

/** For what another window removed a moment ago. `what` as in "This conversation". */
export function notFound(what: string): PunaError {
  return new PunaError(
    'not-found',
    `${what} no longer exists.`,
    'It may have been deleted in another window.',
  );
}
