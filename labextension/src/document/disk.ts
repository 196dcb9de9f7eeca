/**
 * Files that change on disk while they are open, for instance by `git checkout` or in another editor.
 */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type { WorkflowModel } from './model';

/** Milliseconds between two looks at a file that is on the screen. */
const INTERVAL = 5_000;
const LONGEST = 60_000;

/**
 * Loads a file anew when it is another one on disk and nothing was changed here.
 *
 * If something was changed here, JupyterLab asks what to keep when it is saved. With collaboration the server
 * follows the file; then only what is known of the file is brought up to date, so that nobody is asked.
 */
export class DiskWatch implements IDisposable {
  constructor(
    private readonly _context: DocumentRegistry.IContext<WorkflowModel>,
    private readonly _contents: Contents.IManager,
    private readonly _isVisible: () => boolean
  ) {
    this._poll = new Poll({
      name: `jupyter-workflows:disk#${_context.path}`,
      frequency: { interval: INTERVAL, backoff: true, max: LONGEST },
      standby: () => document.hidden || !this._isVisible(),
      factory: () => this._look(),
      auto: false
    });
    _contents.fileChanged.connect(this._onFileChanged, this);
    window.addEventListener('focus', this.look);
    void _context.ready.then(() => {
      if (!this.isDisposed) {
        void this._poll.start();
      }
    });
  }

  /** Look now. */
  readonly look = (): void => {
    if (!this.isDisposed && this._context.isReady) {
      void this._poll.refresh();
    }
  };

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    window.removeEventListener('focus', this.look);
    this._contents.fileChanged.disconnect(this._onFileChanged, this);
    this._poll.dispose();
  }

  private _onFileChanged(_: unknown, change: Contents.IChangedArgs): void {
    if (change.type === 'save' && change.newValue?.path === this._context.path) {
      this.look();
    }
  }

  private async _look(): Promise<void> {
    const { model, path, contentsModel } = this._context;
    if (model.dirty || contentsModel === null) {
      return;
    }
    const there = await this._contents.get(path, { content: false, hash: true });
    const same = there.hash
      ? there.hash === contentsModel.hash
      : there.last_modified === contentsModel.last_modified;
    const known = this._context.contentsModel;
    // It may have been saved, changed or moved meanwhile.
    if (
      !same &&
      !this.isDisposed &&
      !model.dirty &&
      path === this._context.path &&
      known?.hash === contentsModel.hash
    ) {
      await this._context.revert();
    }
  }

  private readonly _poll: Poll;
}
