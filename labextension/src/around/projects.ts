/**
 * Projects in the server's files: what belongs to which workflow.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { WorkflowsClient } from '../client/client';
import type { INewProject, IProject, IProjects, IProjectStage } from '../client/types';

/** A stage of a workflow file that may not be open. */
export interface IPlace {
  readonly project: IProject;
  readonly stage: IProjectStage;
}

export class Projects implements IDisposable {
  constructor(
    private readonly _client: WorkflowsClient,
    private readonly _contents: Contents.IManager
  ) {
    _contents.fileChanged.connect(this._onFileChanged, this);
  }

  /** A workflow file was saved, or files were moved: what was said before may no longer hold. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Return the workflows in whose projects a file or folder lies, the nearest first. */
  of(path: string): Promise<readonly IProject[]> {
    const local = this._contents.localPath(path);
    const folder = PathExt.dirname(local);
    let found = this._known.get(folder);
    if (found === undefined) {
      found = this._client.get<IProjects>(['projects'], { path: folder }).then(answer => answer.projects);
      this._known.set(folder, found);
      found.catch(() => this._known.delete(folder));
    }
    return found;
  }

  /** Return the stages whose notebook a file is, the nearest workflow's first. */
  async stagesOf(path: string): Promise<readonly IPlace[]> {
    const local = this._contents.localPath(path);
    return (await this.of(path)).flatMap(project =>
      project.stages.filter(stage => stage.notebook === local).map(stage => ({ project, stage }))
    );
  }

  /** Make a project; nothing is overwritten. */
  async make(wanted: {
    readonly title: string;
    readonly folder: string;
    readonly template?: string;
    readonly own_folder?: boolean;
  }): Promise<INewProject> {
    const made = await this._client.post<INewProject>(['projects'], wanted);
    this.forget();
    return made;
  }

  /** Ask the server again the next time. */
  forget(): void {
    this._known.clear();
    this._changed.emit();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._contents.fileChanged.disconnect(this._onFileChanged, this);
    this._known.clear();
    Signal.clearData(this);
  }

  private _onFileChanged(_: unknown, change: Contents.IChangedArgs): void {
    const paths = [change.oldValue?.path, change.newValue?.path].filter(path => path !== undefined);
    if (change.type !== 'save' || paths.some(path => path.endsWith('.workflow'))) {
      this.forget();
    }
  }

  private readonly _known = new Map<string, Promise<readonly IProject[]>>();
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
