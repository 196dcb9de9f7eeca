/**
 * What the server answers when it refuses something: problem details (RFC 9457).
 */
import type { IFinding } from './types';

export interface IProblemError {
  readonly field: string;
  readonly message: string;
}

/** A refusal, in words for a person. `message` says what is wrong, `mend` what to do. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly details: {
      readonly code?: string;
      readonly title?: string;
      readonly detail?: string;
      readonly mend?: string;
      readonly errors?: readonly IProblemError[];
      readonly findings?: readonly IFinding[];
      readonly choices?: readonly string[];
    }
  ) {
    super(details.detail ?? details.title ?? `The server answered ${status}.`);
    this.name = 'ProblemError';
  }

  /** The kind of problem, short and stable, such as `files-changed`. */
  get code(): string {
    return this.details.code ?? '';
  }

  get mend(): string {
    return this.details.mend ?? '';
  }
}
