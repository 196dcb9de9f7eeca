/**
 * A tab with a form.
 */
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel } from '@lumino/widgets';

import type { WorkflowsClient } from '../client/client';
import { stageIcons } from '../icons';
import { FormBody } from './body';
import { FormHeader, FormStatus } from './header';
import type { FormModel } from './model';
import { FinishedForm } from './finished';

/** What stands in the tab. */
export class FormPanel extends Panel {
  constructor(options: FormPanel.IOptions) {
    super();
    this.model = options.model;
    this.addClass('jp-Workflows-form');
    const column = new Panel();
    column.addClass('jp-Workflows-formColumn');
    this._body = new FormBody(this.model);
    this._finished = new FinishedForm(options);
    column.addWidget(new FormHeader(this.model, options.trans));
    column.addWidget(this._body);
    column.addWidget(new FormStatus(this.model, options.trans));
    column.addWidget(this._finished);
    this.addWidget(column);
    this._finished.hide();
    this.model.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  readonly model: FormModel;

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.model.changed.disconnect(this._onChanged, this);
    this.model.dispose();
    super.dispose();
  }

  private _onChanged(): void {
    const { state, details } = this.model;
    this.node.dataset.state = state;
    const frozen = state !== 'open';
    this._body.toggleClass('jp-mod-frozen', frozen);
    if (frozen) {
      this._body.node.setAttribute('inert', '');
    } else {
      this._body.node.removeAttribute('inert');
    }
    if (state === 'done') {
      this._body.hide();
      this._finished.show();
      if (details !== null) {
        void this._finished.load(details);
      }
    } else {
      this._finished.hide();
      this._body.show();
    }
  }

  private readonly _body: FormBody;
  private readonly _finished: FinishedForm;
}

export namespace FormPanel {
  export interface IOptions {
    readonly model: FormModel;
    readonly client: WorkflowsClient;
    readonly rendermime: IRenderMimeRegistry;
    readonly trans: TranslationBundle;
  }
}

/** The tab. */
export class FormWidget extends MainAreaWidget<FormPanel> {
  constructor(options: FormPanel.IOptions) {
    super({ content: new FormPanel(options) });
    this.id = `jp-workflows-form-${options.model.task}`;
    this.title.icon = stageIcons.form;
    this.title.closable = true;
    this.title.label = options.trans.__('Form');
    this.toolbar.hide();
    this.content.model.changed.connect(() => {
      const details = this.content.model.details;
      if (details !== null) {
        this.title.label = details.title;
        this.title.caption = details.workflow_title;
      }
    });
  }
}
