/**
 * A form that is over, as its executed notebook has it: no kernel is needed.
 */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MimeModel } from '@jupyterlab/rendermime';
import { ServerConnection } from '@jupyterlab/services';
import type { JSONObject, PartialJSONObject } from '@lumino/coreutils';
import { Panel } from '@lumino/widgets';

import type { WorkflowsClient } from '../client/client';
import type { ITask } from '../client/types';

/** Type of a page as it was asked and answered. */
export const PAGE_MIME = 'application/vnd.jupyter-workflows.page+json';

interface IOutput {
  readonly output_type: string;
  readonly data?: JSONObject;
}

interface INotebook {
  readonly cells: readonly { readonly outputs?: readonly IOutput[] }[];
}

export class FinishedForm extends Panel {
  constructor(
    private readonly _options: { readonly client: WorkflowsClient; readonly rendermime: IRenderMimeRegistry }
  ) {
    super();
    this.addClass('jp-Workflows-formFinished');
  }

  /** Show what was asked and answered in a task. */
  async load(task: ITask): Promise<void> {
    if (this._loaded || !task.attempt) {
      return;
    }
    this._loaded = true;
    const { client } = this._options;
    const url = client.url('runs', task.run, 'stages', task.id, 'attempts', String(task.attempt), 'notebook');
    try {
      const response = await ServerConnection.makeRequest(url, {}, client.serverSettings);
      if (response.ok) {
        await this._render((await response.json()) as INotebook);
      }
    } catch (error) {
      this._loaded = false;
      console.warn('The executed notebook of a form could not be loaded', error);
    }
  }

  private async _render(notebook: INotebook): Promise<void> {
    const { rendermime } = this._options;
    const outputs = notebook.cells.flatMap(cell => cell.outputs ?? []);
    for (const output of outputs) {
      const data = output.data;
      if (this.isDisposed || data === undefined || !(PAGE_MIME in data)) {
        continue;
      }
      const bundle = Object.fromEntries(
        Object.entries(data).filter(([mime]) => mime !== PAGE_MIME)
      ) as PartialJSONObject;
      const mime = rendermime.preferredMimeType(bundle, 'any');
      if (mime === undefined) {
        continue;
      }
      const renderer = rendermime.createRenderer(mime);
      renderer.addClass('jp-Workflows-formFinishedPart');
      this.addWidget(renderer);
      await renderer.renderModel(new MimeModel({ data: bundle, trusted: false }));
    }
  }

  private _loaded = false;
}
