import type { z } from 'zod';
import { type ErrorCode, PunaError } from '../../shared/error.ts';

/** A failure as OpenAI's API tells it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | null;
  /** The parameter that is at fault. */
  readonly param: string | null;

  constructor(status: number, message: string, { code, param }: { code?: string; param?: string } = {}) {
    super(message);
    this.status = status;
    this.code = code ?? null;
    this.param = param ?? null;
  }

  get body() {
    const type = this.status < 500 ? 'invalid_request_error' : 'server_error';
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }

  /** Anything thrown; what nobody foresaw is logged, since its sentence alone helps nobody. */
  static from(thrown: unknown): ApiError {
    if (thrown instanceof ApiError) return thrown;
    const { code, message, remedy, cause } = PunaError.from(thrown);
    if (code === 'internal') console.error(cause ?? thrown);
    return new ApiError(statuses[code] ?? 500, `${message} ${remedy}`.trim(), { code });
  }

  /** What is wrong with a request's body, by its first fault. */
  static ofBody({ issues: [issue] }: z.ZodError): ApiError {
    const param = issue?.path.join('.') ?? '';
    const where = param === '' ? 'The request' : `The parameter "${param}"`;
    return new ApiError(400, `${where} is wrong: ${issue?.message ?? 'it cannot be read'}.`, {
      ...(param !== '' && { param }),
    });
  }
}

/** Those that are worth another try are above 500. */
const statuses: Partial<Record<ErrorCode, number>> = {
  'invalid-input': 400,
  'not-found': 404,
  cancelled: 503,
  'no-model': 503,
  'out-of-memory': 503,
};
