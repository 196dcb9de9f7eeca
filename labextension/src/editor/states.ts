/**
 * What the canvas shows of a run.
 */
import type { ISignal } from '@lumino/signaling';

import type { StageRunState } from '../client/types';

/** How a stage stands in the run that is shown: all its stage runs together. */
export interface IStageState {
  readonly state: StageRunState;
  /** How many stage runs it has, and how many of them ended. */
  readonly total: number;
  readonly done: number;
  /** The cell that is being executed, counted from one, and how many there are. */
  readonly cell?: number;
  readonly cells?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** What went wrong, in a line. */
  readonly error?: string;
  /** The stage run to look at first. */
  readonly stageRun: string;
}

/** What passed along a transition in the run that is shown. */
export interface ITransitionState {
  readonly items: number;
}

/** The run that a canvas shows. An unchanged state stays the same object. */
export interface IRunStates {
  readonly run: string | null;
  stage(key: string): IStageState | undefined;
  transition(key: string): ITransitionState | undefined;
  readonly changed: ISignal<IRunStates, void>;
}
