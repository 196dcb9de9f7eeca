/**
 * What the routes answer. The server's OpenAPI document binds.
 */
import type { ReadonlyJSONObject } from '@lumino/coreutils';

/** One thing that is wrong with a workflow, or worth a look. */
export interface IFinding {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
  /** Key of the stage. */
  readonly stage: string | null;
  readonly transition: string | null;
  readonly field: string | null;
  readonly cell: number | null;
}

export interface ICheckAnswer {
  readonly findings: readonly IFinding[];
  readonly errors: number;
  readonly warnings: number;
}

export type RunState = 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';

export type StageRunState =
  'queued' | 'waiting' | 'joining' | 'running' | 'completed' | 'failed' | 'cancelled';

// -- templates

/** What a new stage of a type begins with. */
export interface IStageTemplate {
  readonly type: 'form' | 'hook' | 'job' | 'script';
  readonly title: string;
  /** Fields of the stage beside those that all have. */
  readonly settings: ReadonlyJSONObject;
  readonly notebook: ReadonlyJSONObject;
}

export interface ITemplates {
  readonly stages: readonly IStageTemplate[];
}
