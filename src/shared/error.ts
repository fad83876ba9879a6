/** What went wrong, in a form that code can branch on. Each code has one meaning, wherever it is thrown. */
export const errorCodes = [
  'invalid-input',
  'nothing-to-learn',
  'not-found',
  'not-gguf',
  'file-damaged',
  'file-missing',
  'unsupported-model',
  'out-of-memory',
  'disk-full',
  'database-locked',
  'database-damaged',
  'database-newer',
  'already-running',
  'port-in-use',
  'engine-died',
  'no-model',
  'network',
  'no-access',
  'no-trash',
  'cancelled',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * An error that a person can read: one sentence on what is wrong and where, and a remedy, what to do about it.
 * The cause is kept for the log.
 */
export class PunaError extends Error {
  override readonly name = 'PunaError';
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, remedy = '', options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }

  /** Anything thrown, as a PunaError; what is not one yet becomes `internal` with its own message. */
  static from(thrown: unknown): PunaError {
    if (thrown instanceof PunaError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new PunaError('internal', message, '', { cause: thrown });
  }
}
