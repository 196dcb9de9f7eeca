/**
 * What new stages begin with. The texts are the server's: the command line uses the same.
 */
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import type { WorkflowsClient } from '../client/client';
import type { IStageTemplate, ITemplates } from '../client/types';
import type { StageType } from '../document/types';

const known = new WeakMap<WorkflowsClient, Promise<ReadonlyMap<StageType, IStageTemplate>>>();

/** Return the templates by type; they are fetched once. */
export function templates(client: WorkflowsClient): Promise<ReadonlyMap<StageType, IStageTemplate>> {
  let promise = known.get(client);
  if (promise === undefined) {
    promise = client
      .get<ITemplates>(['templates'])
      .then(answer => new Map(answer.stages.map(template => [template.type, template])));
    // What failed is tried again the next time.
    promise.catch(() => known.delete(client));
    known.set(client, promise);
  }
  return promise;
}

/** Return the settings of a new stage; its schedule is in the time zone of who makes it. */
export function settingsOf(template: IStageTemplate | undefined): ReadonlyJSONObject {
  const settings = template?.settings ?? {};
  const { schedule } = settings as { readonly schedule?: ReadonlyJSONObject };
  if (schedule === undefined) {
    return settings;
  }
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return { ...settings, schedule: { ...schedule, timezone: timeZone || 'UTC' } };
}

/** Return a template's notebook under a title of its own. */
export function notebookOf(template: IStageTemplate, title: string): INotebookContent {
  const notebook = structuredClone(template.notebook) as unknown as INotebookContent;
  const first = notebook.cells[0];
  if (first?.cell_type === 'markdown') {
    const source = Array.isArray(first.source) ? first.source.join('') : first.source;
    first.source = source.replace(/^# .*/, () => `# ${title.replace(/\s+/g, ' ')}`);
  }
  return notebook;
}
