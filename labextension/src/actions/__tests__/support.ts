/**
 * An editor of a workflow in files that lie in memory.
 */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { ServerConnection } from '@jupyterlab/services';
import type { Contents } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import type { WorkflowsClient } from '../../client/client';
import { WorkflowModel } from '../../document/model';
import type { ISnapshot } from '../../document/types';
import { WorkflowEditor } from '../../editor/editor';

/** Files of a server, by path. */
export class Files {
  readonly files = new Map<string, unknown>();

  readonly manager = {
    localPath: (path: string) => path.replace(/^\w+:/, ''),
    driveName: (path: string) => /^(\w+):/.exec(path)?.[1] ?? '',
    get: async (path: string) => {
      if ([...this.files.keys()].some(file => file.startsWith(`${path}/`))) {
        const names = [...this.files.keys()].filter(file => file.startsWith(`${path}/`));
        return { type: 'directory', content: names.map(name => ({ name: name.slice(path.length + 1) })) };
      }
      if (!this.files.has(path)) {
        throw problem(404);
      }
      return { path, content: structuredClone(this.files.get(path)) };
    },
    save: async (path: string, { type, content }: { type: string; content?: unknown }) => {
      if (type !== 'directory') {
        this.files.set(path, structuredClone(content));
      }
    },
    newUntitled: async ({ path }: { path: string }) => {
      let number = 0;
      while (this.files.has(`${path}/Untitled${number || ''}.ipynb`)) {
        number++;
      }
      const made = `${path}/Untitled${number || ''}.ipynb`;
      this.files.set(made, null);
      return { path: made };
    },
    rename: async (from: string, to: string) => {
      if (this.files.has(to)) {
        throw problem(409);
      }
      this.files.set(to, this.files.get(from));
      this.files.delete(from);
    },
    delete: async (path: string) => {
      this.files.delete(path);
    }
  };
}

function problem(status: number): ServerConnection.ResponseError {
  return new ServerConnection.ResponseError({ status, statusText: '' } as Response);
}

const TEMPLATES = (['form', 'hook', 'job', 'script'] as const).map(type => ({
  type,
  title: 'Title',
  settings: type === 'job' ? { schedule: { cron: '0 9 * * 1', timezone: 'UTC' } } : {},
  notebook: { cells: [{ cell_type: 'markdown', source: '# Title\n\nText.' }], metadata: {}, nbformat: 4 }
}));

export function editorOf(text = '', files = new Files(), path = 'project/a.workflow'): WorkflowEditor {
  const model = new WorkflowModel();
  model.fromString(text);
  model.initialize();
  const context = { model, path, ready: Promise.resolve(), contentsModel: { writable: true } };
  const silent = new Signal<object, never>({});
  return new WorkflowEditor({
    context: context as unknown as DocumentRegistry.IContext<WorkflowModel>,
    contents: { ...files.manager, fileChanged: new Signal({}) } as unknown as Contents.IManager,
    commands: {} as never,
    client: {
      get: async (parts: readonly string[]) => {
        if (parts[0] !== 'templates') {
          throw new Error('There is no server.');
        }
        return { stages: TEMPLATES, workflows: [] };
      },
      check: async () => ({ findings: [], errors: 0, warnings: 0 }),
      post: () => Promise.reject(new Error('There is no server.'))
    } as unknown as WorkflowsClient,
    events: { runs: silent, tasks: silent, workflows: silent, runner: silent } as never
  });
}

export const EMPTY = JSON.stringify({
  format: 1,
  uid: '3d8f2c1e-0a53-4a52-8f4b-5b8f6a1c2d3e',
  title: 'Empty'
});

/** Three stages in a row, with a note beside and a job that nothing leads into. */
export const ROW = JSON.stringify({
  format: 1,
  uid: '8b0c6a52-4f6e-4c5a-9d5e-3d3c1f0a7b11',
  title: 'Row',
  stages: {
    a: { type: 'form', path: 'ask', title: 'Ask', notebook: 'stages/ask.ipynb', position: [0, 0] },
    b: { type: 'script', path: 'work', title: 'Work', notebook: 'stages/work.ipynb', position: [320, 0] },
    c: { type: 'script', path: 'tell', title: 'Tell', notebook: 'stages/tell.ipynb', position: [640, 0] },
    j: {
      type: 'job',
      path: 'nightly',
      title: 'Nightly',
      notebook: 'stages/nightly.ipynb',
      position: [0, 320]
    }
  },
  transitions: {
    ab: { source: 'a', target: 'b', condition: 'amount > 100' },
    bc: { source: 'b', target: 'c' }
  },
  notes: { n: { text: 'Note', position: [0, 120] } },
  groups: { g: { title: 'Both', stages: ['a', 'b'] } }
});

/** What is wrong with a document, whatever was done to it. */
export function faults({ stages, transitions, groups }: ISnapshot): string[] {
  const found: string[] = [];
  const paths = Object.values(stages).map(stage => stage.path);
  if (new Set(paths).size < paths.length) {
    found.push(`paths: ${paths.join()}`);
  }
  const notebooks = Object.values(stages).map(stage => stage.notebook);
  if (new Set(notebooks).size < notebooks.length) {
    found.push(`notebooks: ${notebooks.join()}`);
  }
  const pairs = new Set<string>();
  for (const [key, { source, target, on }] of Object.entries(transitions)) {
    if (!(source in stages) || !(target in stages)) {
      found.push(`dangling ${key}`);
    } else if (stages[target].type === 'job') {
      found.push(`into a job ${key}`);
    }
    const pair = `${source} ${target} ${on ?? 'completed'}`;
    if (pairs.has(pair)) {
      found.push(`twice ${pair}`);
    }
    pairs.add(pair);
  }
  for (const [key, group] of Object.entries(groups)) {
    if (group.stages?.some(stage => !(stage in stages))) {
      found.push(`group ${key}`);
    }
  }
  for (const { position } of Object.values(stages)) {
    if (position?.some(one => one % 8 !== 0 || Object.is(one, -0))) {
      found.push(`off the grid ${String(position)}`);
    }
  }
  return found;
}
