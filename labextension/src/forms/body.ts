/**
 * The widgets of a form's page.
 */
import { MessageLoop } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import type { Widget } from '@lumino/widgets';

import type { IFormDescription } from './connection';
import type { IFormManager } from './manager';
import type { FormModel } from './model';

/** What a widget's model knows of messages that are on their way. */
interface IPending {
  readonly _pending_msgs?: number;
  readonly _msg_buffer?: object | null;
}

/** Milliseconds that a click waits at most for what was typed before it. */
const PATIENCE = 1500;
const LOOK = 15;

/** Shows the page of the moment, and keeps showing it until the next one is there. */
export class FormBody extends Panel {
  constructor(private readonly _model: FormModel) {
    super();
    this.addClass('jp-Workflows-formBody');
    _model.described.connect(this._onDescribed, this);
    this.node.addEventListener('click', this._onClick, { capture: true });
    for (const name of ['input', 'change']) {
      this.node.addEventListener(name, () => _model.noteInput());
    }
    this.node.addEventListener('keydown', this._onKey);
  }

  /** The form that is shown. */
  get shown(): string | null {
    return this._shown;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._model.described.disconnect(this._onDescribed, this);
    super.dispose();
  }

  private _onDescribed(_: unknown, description: IFormDescription): void {
    void this._show(description);
  }

  private async _show(description: IFormDescription): Promise<void> {
    if (this._shown === description.form) {
      if (description.load === true) {
        await this._manager?._loadFromKernel();
      }
      return;
    }
    const connection = this._model.connection;
    if (connection === null) {
      return;
    }
    this._shown = description.form;
    const manager = await connection.manager;
    this._manager = manager;
    let view: { readonly luminoWidget: Widget };
    try {
      if (description.load === true || !manager.has_model(description.root)) {
        await manager._loadFromKernel();
      }
      view = await manager.create_view(await manager.get_model(description.root));
    } catch (error) {
      if (this._shown === description.form) {
        this._shown = null;
      }
      if (!connection.isDisposed) {
        console.error('A form could not be shown', error);
      }
      return;
    }
    if (this.isDisposed || this._shown !== description.form) {
      view.luminoWidget.dispose();
      return;
    }
    const old = [...this.widgets];
    this.addWidget(view.luminoWidget);
    old.forEach(widget => widget.dispose());
    MessageLoop.flush();
    this.node.dataset.form = description.form;
    this.node.scrollTop = 0;
    this._focus();
  }

  /** Put the cursor into the first field, unless the person is at work elsewhere. */
  private _focus(): void {
    const active = document.activeElement;
    if (this.isVisible && (active === null || active === document.body || this.node.contains(active))) {
      this.node
        .querySelector<HTMLElement>('input:not([disabled]), textarea:not([disabled]), select:not([disabled])')
        ?.focus({ preventScroll: true });
    }
  }

  /** A button's click goes out at once, what was typed before it waits for its turn: let the click wait as well. */
  private _onClick = (event: MouseEvent): void => {
    const button = (event.target as HTMLElement).closest('button');
    if (button === null || event.isTrusted === false || !this._isPending()) {
      return;
    }
    event.stopPropagation();
    event.preventDefault();
    const deadline = performance.now() + PATIENCE;
    const look = (): void => {
      if (this._isPending() && performance.now() < deadline) {
        window.setTimeout(look, LOOK);
      } else {
        button.click();
      }
    };
    look();
  };

  /** Ctrl+Enter presses the first button. */
  private _onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      this.node.querySelector<HTMLElement>('.jp-WorkflowsForm-actions button:not([disabled])')?.click();
    }
  };

  private _isPending(): boolean {
    const waiting = this._pendingModels;
    return waiting.some(model => (model._pending_msgs ?? 0) > 0 || (model._msg_buffer ?? null) !== null);
  }

  private get _pendingModels(): IPending[] {
    const manager = this._manager as unknown as { _modelsSync?: ReadonlyMap<string, IPending> } | null;
    const inputs = this._model.description?.inputs ?? {};
    return Object.keys(inputs).flatMap(model => manager?._modelsSync?.get(model) ?? []);
  }

  private _shown: string | null = null;
  private _manager: IFormManager | null = null;
}
