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

/** What a new workflow begins with. */
export interface IWorkflowTemplate {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The types of its stages, in order. */
  readonly types: readonly string[];
}

export interface ITemplates {
  readonly stages: readonly IStageTemplate[];
  readonly workflows: readonly IWorkflowTemplate[];
}

// -- projects

/** A project that was made. */
export interface INewProject {
  /** Path of its workflow file. */
  readonly path: string;
  readonly folder: string;
  readonly files: readonly string[];
}

export interface IProjectStage {
  readonly key: string;
  readonly path: string;
  readonly title: string;
  readonly type: 'form' | 'hook' | 'job' | 'script';
  /** Path of its notebook, from the server's root folder. */
  readonly notebook: string;
}

/** A workflow file, and what it names. */
export interface IProject {
  readonly path: string;
  readonly uid: string;
  readonly title: string;
  readonly stages: readonly IProjectStage[];
}

export interface IProjects {
  readonly projects: readonly IProject[];
}

export interface IRequirements {
  readonly path: string;
  readonly exists: boolean;
  readonly missing: readonly string[];
  /** The file with what is missing. */
  readonly text: string;
}

/** How a working copy, or a stage of it, stands beside what is live. */
export type DeploymentStatus = 'draft' | 'live' | 'changed';

export interface IDifference {
  readonly kind: 'workflow' | 'stage' | 'transition' | 'notebook' | 'file';
  readonly name: string;
  readonly done: 'added' | 'changed' | 'removed';
  readonly stage: string | null;
}

export interface IComparison {
  readonly status: DeploymentStatus;
  /** Null if it was never deployed. */
  readonly workflow: IWorkflowDetail | null;
  readonly live: IDeployment | null;
  readonly differences: readonly IDifference[];
  readonly stages: Readonly<Record<string, DeploymentStatus>>;
  readonly jobs: readonly { readonly stage: string; readonly next_due: string | null }[];
}

// -- workflows, deployments

export interface IHook {
  /** Key of its stage. */
  readonly stage: string;
  readonly path: string;
  readonly title: string;
  /** Path of its address on this server. */
  readonly address: string;
  readonly entry: boolean;
  readonly methods: readonly string[];
  readonly auth: string;
}

export interface IWorkflowDetail {
  readonly uid: string;
  readonly slug: string;
  readonly title: string;
  readonly live_deployment: string | null;
  readonly live_version: number | null;
  readonly last_version: number;
  readonly paused: boolean;
  readonly owner_address: string | null;
  readonly hooks: readonly IHook[];
}

export interface IDeployment {
  readonly id: string;
  readonly workflow: string;
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  readonly live: boolean;
  readonly created_by: string | null;
  readonly created_at: string;
  readonly note: string | null;
}

export interface IDeployments {
  readonly deployments: readonly IDeployment[];
  readonly cursor: string | null;
}

export interface INewSecret {
  readonly id: string;
  readonly stage: string;
  readonly path: string;
  readonly kind: 'token' | 'signature';
  readonly secret: string;
}

/** A deployment that was just made live. */
export interface IDeployed extends IDeployment {
  readonly hooks: readonly IHook[];
  readonly jobs: readonly {
    readonly stage: string;
    readonly path: string;
    readonly timezone: string;
    readonly next_due: string | null;
  }[];
  readonly secrets: readonly INewSecret[];
  readonly instead_of: number | null;
  readonly findings: readonly IFinding[];
}

// -- mail

export interface IMail {
  readonly id: string;
  readonly kind: string;
  readonly to: string | null;
  readonly subject: string;
  readonly text: string;
  readonly workflow: string | null;
  readonly run: string | null;
  /** `test`: of a test run, which sends nothing. */
  readonly state: 'waiting' | 'sent' | 'failed' | 'test';
  readonly created_at: string;
  readonly sent_at: string | null;
  readonly error: string | null;
}

// -- health

export type RunnerState = 'disabled' | 'starting' | 'running' | 'restarting' | 'stopped' | 'unsupported';

export interface IHealth {
  readonly status: 'ok' | 'degraded';
  readonly problems: readonly string[];
  readonly runner: { readonly state: RunnerState; readonly message: string | null };
}

// -- schedules/preview

export interface ISchedulePreview {
  readonly description: string;
  /** ISO 8601, in the schedule's zone. */
  readonly times: readonly string[];
  readonly clock_changes: readonly {
    readonly time: string;
    readonly minutes: number;
    readonly effect: 'moved' | 'once' | null;
  }[];
}

// -- projects/compare, workflows/{workflow}/secrets: as far as the options of hooks need them

export interface IHook {
  /** Key of the stage. */
  readonly stage: string;
  readonly path: string;
  /** Path of the address on this server. */
  readonly address: string;
  readonly methods: readonly string[];
  readonly auth: string;
}

export interface IComparedWorkflow {
  readonly workflow: { readonly uid: string; readonly slug: string; readonly hooks: readonly IHook[] } | null;
}

export interface ISecret {
  readonly id: string;
  readonly stage: string;
  readonly kind: string;
  readonly hint: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

export interface INewSecret {
  readonly id: string;
  readonly secret: string;
}

// -- tasks

/** A stage run that waits for a person or a request. */
export interface ITask {
  readonly id: string;
  readonly run: string;
  /** Uid of the workflow. */
  readonly workflow: string;
  readonly workflow_title: string;
  readonly mode: 'live' | 'test';
  readonly stage: string;
  readonly path: string;
  readonly title: string;
  readonly type: string;
  readonly state: StageRunState;
  readonly assignee: string | null;
  readonly started_by: string | null;
  readonly opened_by: string | null;
  readonly created_at: string;
  /** When it is due. */
  readonly deadline: string | null;
  readonly expires_at: string | null;
  /** The attempt that completed it, or the latest. */
  readonly attempt?: number;
}

export interface ITaskList {
  readonly tasks: readonly ITask[];
  readonly cursor: string | null;
  /** By what name who asks is known. */
  readonly me: string;
}

export interface IOpenedTask {
  readonly session: string;
  readonly attempt: number;
  readonly task: ITask;
}

// -- runs

export interface IErrorAnswer {
  readonly name: string;
  readonly message: string;
  /** Index of the cell in the source notebook. */
  readonly cell: number | null;
}

export interface IRun {
  readonly id: string;
  readonly workflow: string;
  readonly title: string;
  readonly mode: 'live' | 'test';
  readonly state: RunState;
  readonly deployment: string | null;
  readonly entry: string;
  readonly started_by: string | null;
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly stage_runs: number;
  /** Key of the stage with which a test run ends. */
  readonly until: string | null;
  /** It is erased when the server starts again. */
  readonly temporary: boolean;
}

export interface IStandIn {
  readonly kind: 'pinned' | 'reused';
  readonly run: string | null;
  readonly stage_run: string | null;
  readonly attempt: number | null;
}

export interface IAttempt {
  readonly attempt: number;
  readonly state: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly notebook: string | null;
  readonly error: IErrorAnswer | null;
  readonly warnings: readonly string[];
  readonly stand_in: IStandIn | null;
}

export interface IStageRun {
  readonly id: string;
  readonly stage: string;
  readonly path: string;
  readonly title: string;
  readonly type: string;
  readonly state: StageRunState;
  readonly key: readonly number[];
  readonly sequence: number;
  readonly transition: string | null;
  readonly parents: readonly string[];
  readonly handled: boolean;
  readonly assignee: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly error: IErrorAnswer | null;
  readonly cell: number | null;
  readonly cells: number | null;
  readonly attempts: readonly IAttempt[];
}

export interface IRunDetail extends IRun {
  readonly stages: readonly IStageRun[];
}

export interface IStageRunDetail extends IStageRun {
  readonly run: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>> | null;
}

export interface IRunList {
  readonly runs: readonly IRun[];
  readonly cursor: string | null;
}

export interface IAttemptLog {
  readonly attempt: number;
  readonly cells: readonly { readonly cell: number; readonly text: string }[];
}

export interface IPinned {
  readonly pinned: Readonly<Record<string, unknown>>;
  readonly files: number;
  readonly size: number;
}

export interface ITableRows {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly index: boolean }[];
  readonly column_count: number;
  readonly rows: readonly (readonly unknown[])[];
  readonly offset: number;
  readonly total: number;
}
