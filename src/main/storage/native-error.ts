import { PunaError } from '../../shared/error.ts';

const nativeCodes = ['ERR_DLOPEN_FAILED', 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'];

/** What is thrown where a package's native part is missing or does not start, as an error that a person can read; else as it is. */
export function nativeError(thrown: unknown, name: string): unknown {
  if (thrown instanceof PunaError || !(thrown instanceof Error)) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === undefined || !nativeCodes.includes(code)) return thrown;
  return new PunaError(
    'internal',
    `${name} does not start: its native package is missing, or made for another system or Node.`,
    'Install Puna again (npm ci, where it runs from its sources).',
    { cause: thrown },
  );
}
