/**
 * Finding stages, notes and conditions by the search box of JupyterLab.
 */
import { SearchProvider } from '@jupyterlab/documentsearch';
import type { ISearchMatch, ISearchProvider, ISearchProviderFactory } from '@jupyterlab/documentsearch';
import type { Widget } from '@lumino/widgets';

import type { IMatch } from '../actions/search';
import { WorkflowDocument } from '../document/widget';

export class WorkflowSearchProvider extends SearchProvider<WorkflowDocument> {
  constructor(widget: WorkflowDocument) {
    super(widget);
    widget.editor.document.changed.connect(this._onChanged, this);
  }

  get isReadOnly(): boolean {
    // A title may be many things' name; replacing goes by hand.
    return true;
  }

  get matchesCount(): number | null {
    return this._query === null ? null : this._matches.length;
  }

  get currentMatchIndex(): number | null {
    return this._current;
  }

  getInitialQuery(): string {
    return '';
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    if (!this.widget.isDisposed) {
      this.widget.editor.document.changed.disconnect(this._onChanged, this);
    }
    super.dispose();
  }

  async startQuery(query: RegExp): Promise<void> {
    this._query = query;
    this._current = null;
    await this._search();
    if (this._matches.length > 0) {
      this._show(0);
    }
  }

  async endQuery(): Promise<void> {
    this._query = null;
    this._matches = [];
    this._current = null;
    await Promise.resolve();
  }

  async clearHighlight(): Promise<void> {
    this._current = null;
    await Promise.resolve();
  }

  highlightNext(): Promise<ISearchMatch | undefined> {
    return Promise.resolve(this._step(1));
  }

  highlightPrevious(): Promise<ISearchMatch | undefined> {
    return Promise.resolve(this._step(-1));
  }

  replaceCurrentMatch(): Promise<boolean> {
    return Promise.resolve(false);
  }

  replaceAllMatches(): Promise<boolean> {
    return Promise.resolve(false);
  }

  private async _search(): Promise<void> {
    const { search } = await import('../actions/search');
    const query = this._query;
    if (query !== null && !this.isDisposed) {
      this._matches = search(this.widget.editor.document.snapshot, query);
    }
  }

  private _step(step: number): ISearchMatch | undefined {
    const count = this._matches.length;
    if (count === 0) {
      return undefined;
    }
    const from = this._current ?? (step > 0 ? -1 : 0);
    return this._show((from + step + count) % count);
  }

  private _show(index: number): ISearchMatch {
    const match = this._matches[index];
    const { kind, key, text } = match;
    this._current = index;
    const { editor } = this.widget;
    editor.selection.set([{ kind, key }]);
    // Whoever types goes on typing.
    const focused = document.activeElement;
    editor.view?.reveal({ kind, key }, { focus: false });
    if (focused instanceof HTMLElement && focused !== document.activeElement) {
      focused.focus();
    }
    this._stateChanged.emit();
    return { text, position: index };
  }

  private _onChanged(): void {
    if (this._query === null) {
      return;
    }
    const shown = this._current === null ? undefined : this._matches[this._current];
    void this._search().then(() => {
      const at = this._matches.findIndex(match => match.kind === shown?.kind && match.key === shown?.key);
      this._current = at < 0 ? null : at;
      this._stateChanged.emit();
    });
  }

  private _query: RegExp | null = null;
  private _matches: readonly IMatch[] = [];
  private _current: number | null = null;
}

export const searchProviderFactory: ISearchProviderFactory<Widget> = {
  // It is asked only after `isApplicable`.
  createNew: (widget: Widget): ISearchProvider => new WorkflowSearchProvider(widget as WorkflowDocument),
  isApplicable: (widget: Widget): widget is Widget => widget instanceof WorkflowDocument
};
