/** Why a file could not be attached. Each is one sentence in the messages, under `attachment.problem`. */
export type AttachmentProblem =
  | 'unreadable'
  | 'empty'
  | 'too-large'
  | 'too-long'
  | 'too-many'
  | 'binary'
  | 'pdf-damaged'
  | 'pdf-password'
  | 'pdf-without-text';

/** A file that cannot be attached. `values` fill in the sentence. */
export class AttachmentError extends Error {
  override readonly name = 'AttachmentError';
  readonly problem: AttachmentProblem;
  readonly values: Record<string, string | number>;

  constructor(
    problem: AttachmentProblem,
    values: Record<string, string | number>,
    options?: { cause?: unknown },
  ) {
    super(problem, options);
    this.problem = problem;
    this.values = values;
  }
}
