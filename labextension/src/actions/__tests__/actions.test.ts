import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';

import { canonicalText } from '../../document/text';
import { nullTranslator } from '@jupyterlab/translation';
import type { WorkflowEditor } from '../../editor/editor';
import { align, distribute } from '../align';
import { copyText, cutText, pasteText } from '../clipboard';
import { rectOf } from '../geometry';
import { groupStages, moveToGroup, ungroup } from '../groups';
import { layout } from '../layout';
import { addNote } from '../notes';
import { search } from '../search';
import { duplicate, moveItems, moveSelection, removeItems, selectAll } from '../selection';
import { slug } from '../slugs';
import { addStage, renameStage, setStage, toggleDisabled } from '../stages';
import { canConnect, connect, reconnect } from '../transitions';
import { stagesInOrder } from '../order';
import { EMPTY, Files, ROW, editorOf, faults } from './support';

const trans = nullTranslator.load('');
const text = (editor: WorkflowEditor): string => canonicalText(editor.document.snapshot);
const stage = (key: string) => ({ kind: 'stages', key }) as const;

/** A change is one step: undo gives the exact text of before, redo that of after. */
async function oneStep(editor: WorkflowEditor, change: () => unknown): Promise<void> {
  const before = text(editor);
  await change();
  const after = text(editor);
  expect(after).not.toBe(before);
  expect(faults(editor.document.snapshot)).toEqual([]);
  const selected = editor.selection.items;
  editor.document.undo();
  expect(text(editor)).toBe(before);
  editor.document.redo();
  expect(text(editor)).toBe(after);
  editor.selection.set(selected);
}

describe('adding a stage', () => {
  it('makes it at once, selects it, and writes its notebook under its title', async () => {
    const files = new Files();
    const editor = editorOf(EMPTY, files);
    const adding = addStage(editor, { type: 'form', title: 'Ask for money' });
    const key = await adding;
    const { stages } = editor.document.snapshot;
    expect(stages[key]).toMatchObject({
      type: 'form',
      path: 'ask-for-money',
      notebook: 'stages/ask-for-money.ipynb'
    });
    expect(editor.selection.items).toEqual([stage(key)]);
    expect(files.files.get('project/stages/ask-for-money.ipynb')).toMatchObject({
      cells: [{ source: '# Ask for money\n\nText.' }]
    });
    expect([...files.files.keys()]).toEqual(['project/stages/ask-for-money.ipynb']);
  });

  it('never overwrites a file, and is one step all the same', async () => {
    const files = new Files();
    files.files.set('project/stages/form.ipynb', 'mine');
    const editor = editorOf(EMPTY, files);
    await oneStep(editor, () => addStage(editor, { type: 'form' }));
    expect(files.files.get('project/stages/form.ipynb')).toBe('mine');
    const [made] = Object.values(editor.document.snapshot.stages);
    expect(made.notebook).toBe('stages/form-2.ipynb');
    expect(files.files.has('project/stages/form-2.ipynb')).toBe(true);
  });

  it('keeps a stage whose notebook could not be written', async () => {
    const files = new Files();
    files.manager.newUntitled = () => Promise.reject(new Error('full'));
    const editor = editorOf(EMPTY, files);
    const key = await addStage(editor, { type: 'script' });
    expect(editor.document.snapshot.stages[key]).toBeDefined();
  });

  it('follows a stage, or lies on an arrow, which keeps its condition on the first half', async () => {
    const editor = editorOf(ROW);
    await oneStep(editor, () => addStage(editor, { type: 'script', after: { source: 'c', on: 'failed' } }));
    let { snapshot } = editor.document;
    const last = editor.selection.items[0].key;
    expect(Object.values(snapshot.transitions)).toContainEqual({ source: 'c', target: last, on: 'failed' });

    await oneStep(editor, () => addStage(editor, { type: 'form', before: 'ab' }));
    ({ snapshot } = editor.document);
    const between = editor.selection.items[0].key;
    expect(snapshot.transitions.ab).toEqual({ source: 'a', target: between, condition: 'amount > 100' });
    expect(Object.values(snapshot.transitions)).toContainEqual({ source: between, target: 'b' });
    // What follows has made room.
    expect(snapshot.stages.b.position![0]).toBeGreaterThanOrEqual(
      snapshot.stages[between].position![0] + 224
    );
  });

  it('draws no transition into a job, and takes the zone of who makes it', async () => {
    const editor = editorOf(ROW);
    const key = await addStage(editor, { type: 'job', after: { source: 'a' } });
    expect(faults(editor.document.snapshot)).toEqual([]);
    expect(editor.document.snapshot.stages[key].schedule).toMatchObject({
      timezone: new Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
    });
  });
});

it('slugs are those of the Python twin', () => {
  for (const [title, wanted] of [
    ['Expense approval', 'expense-approval'],
    ['Größe & Ærø', 'grosse-aero'],
    ['  -- ', 'stage'],
    ['Prüfung №5', 'prufung-no5'],
    ['İstanbul', 'istanbul'],
    ['日本', 'stage']
  ]) {
    expect(slug(title)).toBe(wanted);
  }
});

describe('renaming', () => {
  it('changes the path until the workflow is deployed, and never one that was given by hand', () => {
    const editor = editorOf(ROW);
    renameStage(editor, 'a', 'Work');
    expect(editor.document.snapshot.stages.a.path).toBe('work-2');
    setStage(editor, 'b', { path: 'by-hand' });
    renameStage(editor, 'b', 'Else');
    expect(editor.document.snapshot.stages.b).toMatchObject({ title: 'Else', path: 'by-hand' });
    editor.deployed = 1;
    renameStage(editor, 'c', 'Other');
    expect(editor.document.snapshot.stages.c).toMatchObject({ title: 'Other', path: 'tell' });
  });
});

describe('transitions', () => {
  it('are not drawn into jobs or twice, but back and to the same stage', () => {
    const editor = editorOf(ROW);
    const { snapshot } = editor.document;
    expect(canConnect(snapshot, 'a', 'j', trans)).toContain('Nightly');
    expect(canConnect(snapshot, 'a', 'b', trans)).not.toBeNull();
    expect(canConnect(snapshot, 'a', 'b', trans, { on: 'failed' })).toBeNull();
    expect(canConnect(snapshot, 'c', 'a', trans)).toBeNull();
    expect(canConnect(snapshot, 'a', 'a', trans)).toBeNull();
    expect(connect(editor, 'a', 'j')).toBeNull();
    const key = connect(editor, 'j', 'c')!;
    expect(editor.selection.items).toEqual([{ kind: 'transitions', key }]);
  });

  it('keep what they say when an end is moved', async () => {
    const editor = editorOf(ROW);
    await oneStep(editor, () => reconnect(editor, 'ab', { target: 'c' }));
    expect(editor.document.snapshot.transitions.ab).toEqual({
      source: 'a',
      target: 'c',
      condition: 'amount > 100'
    });
    expect(reconnect(editor, 'ab', { target: 'j' })).toBe(false);
  });
});

describe('what is selected', () => {
  it('is removed with its transitions, and comes back', async () => {
    const editor = editorOf(ROW);
    await oneStep(editor, () => removeItems(editor, [stage('a'), stage('b')]));
    const { snapshot } = editor.document;
    expect(snapshot.transitions).toEqual({});
    expect(snapshot.groups).toEqual({});
  });

  it('moves on the grid, a group with its stages', async () => {
    const editor = editorOf(ROW);
    editor.selection.set([{ kind: 'groups', key: 'g' }, stage('c')]);
    await oneStep(editor, () => moveSelection(editor, 8, -16));
    const { stages } = editor.document.snapshot;
    expect([stages.a.position, stages.b.position, stages.c.position]).toEqual([
      [8, -16],
      [328, -16],
      [648, -16]
    ]);
    moveItems(editor, new Map([['stages:a', [3.2, -3]]]));
    expect(editor.document.snapshot.stages.a.position).toEqual([0, 0]);
  });

  it('is duplicated with its transitions and notebooks', async () => {
    const files = new Files();
    for (const name of ['ask', 'work']) {
      files.files.set(`project/stages/${name}.ipynb`, { cells: [name] });
    }
    const editor = editorOf(ROW, files);
    editor.selection.set([stage('a'), stage('b')]);
    await oneStep(editor, () => duplicate(editor));
    const copies = editor.selection.keys('stages').map(key => editor.document.snapshot.stages[key]);
    expect(copies.map(copy => [copy.title, copy.path])).toEqual([
      ['Ask 2', 'ask-2'],
      ['Work 2', 'work-2']
    ]);
    expect(files.files.get(`project/${copies[0].notebook}`)).toEqual({ cells: ['ask'] });
    expect(Object.keys(editor.document.snapshot.transitions)).toHaveLength(3);
  });

  it('is copied to another project with keys, paths and notebooks of its own', async () => {
    const files = new Files();
    files.files.set('project/stages/ask.ipynb', { cells: ['ask'] });
    files.files.set('project/stages/work.ipynb', { cells: ['work'] });
    const [one, other] = [editorOf(ROW, files), editorOf(EMPTY, files, 'other/b.workflow')];
    selectAll(one);
    one.selection.set(one.selection.items.filter(item => item.key !== 'c' && item.key !== 'j'));
    const copied = copyText(one)!;
    await oneStep(other, () => pasteText(other, copied, [500, 500]));
    const { snapshot } = other.document;
    expect(Object.keys(snapshot.stages)).toHaveLength(2);
    expect(Object.values(snapshot.transitions)).toMatchObject([{ condition: 'amount > 100' }]);
    expect(Object.keys(snapshot.notes)).toHaveLength(1);
    expect(Object.values(snapshot.groups)[0].stages).toHaveLength(2);
    expect(files.files.get('other/stages/ask.ipynb')).toEqual({ cells: ['ask'] });
    expect(Object.keys(snapshot.stages)).not.toContain('a');
  });

  it('keeps its notebook when it is cut out and comes back', async () => {
    const files = new Files();
    const editor = editorOf(ROW, files);
    editor.selection.set([stage('a')]);
    const cut = cutText(editor)!;
    expect(editor.document.snapshot.stages.a).toBeUndefined();
    await pasteText(editor, cut);
    const [key] = editor.selection.keys('stages');
    expect(editor.document.snapshot.stages[key]).toMatchObject({ path: 'ask', notebook: 'stages/ask.ipynb' });
    expect(files.files.size).toBe(0);
  });

  it('is not taken from a clipboard that holds something else', async () => {
    const editor = editorOf(ROW);
    const before = text(editor);
    for (const other of ['', 'text', '{}', 'null', '[1]', '{"type": "application/x-jupyter-workflows"}']) {
      expect(await pasteText(editor, other)).toBe(false);
    }
    expect(text(editor)).toBe(before);
  });

  it('is grouped, ungrouped and regrouped', async () => {
    const editor = editorOf(ROW);
    editor.selection.set([stage('b'), stage('c')]);
    await oneStep(editor, () => groupStages(editor));
    const [group] = editor.selection.keys('groups');
    expect(editor.document.snapshot.groups.g.stages).toEqual(['a']);
    await oneStep(editor, () => moveToGroup(editor, ['b'], null));
    expect(editor.document.snapshot.groups[group].stages).toEqual(['c']);
    editor.selection.set([stage('a')]);
    await oneStep(editor, () => ungroup(editor));
    expect(editor.document.snapshot.groups.g).toBeUndefined();
  });

  it('is aligned, distributed, disabled', async () => {
    const editor = editorOf(ROW);
    editor.selection.set([stage('a'), stage('b'), stage('j')]);
    await oneStep(editor, () => align(editor, 'right'));
    expect(rectOf(editor.document.snapshot, stage('a'))!.x).toBe(320);
    moveItems(editor, new Map([['stages:b', [320, 64]]]));
    await oneStep(editor, () => distribute(editor, 'vertical'));
    expect(editor.document.snapshot.stages.b.position).toEqual([320, 160]);
    await oneStep(editor, () => toggleDisabled(editor, ['a', 'b']));
    expect(editor.document.snapshot.stages.b.disabled).toBe(true);
    toggleDisabled(editor, ['a', 'b']);
    expect(editor.document.snapshot.stages.b.disabled).toBeUndefined();
  });
});

describe('laying out', () => {
  it('goes from left to right in one step, without overlaps', async () => {
    const editor = editorOf(ROW);
    connect(editor, 'c', 'a');
    connect(editor, 'j', 'c');
    connect(editor, 'a', 'a');
    moveItems(editor, new Map([['stages:b', [0, 8]]]));
    await oneStep(editor, () => layout(editor));
    const { stages } = editor.document.snapshot;
    expect(stages.a.position![0]).toBeLessThan(stages.b.position![0]);
    expect(stages.b.position![0]).toBeLessThan(stages.c.position![0]);
  });
});

it('searching finds stages, conditions and notes', () => {
  const { snapshot } = editorOf(ROW).document;
  expect(search(snapshot, /amount/i).map(match => match.key)).toEqual(['ab']);
  expect(search(snapshot, /note/gi).map(match => match.key)).toContain('n');
  expect(search(snapshot, /tell|ask/i).map(match => match.key)).toEqual(['a', 'c']);
});

it('the order of reading goes along the arrows', () => {
  expect(stagesInOrder(editorOf(ROW).document.snapshot)).toEqual(['a', 'b', 'c', 'j']);
});

it('nothing is changed in a document that cannot be written', async () => {
  const editor = editorOf(ROW);
  (editor.context as { contentsModel: unknown }).contentsModel = { writable: false };
  const before = text(editor);
  selectAll(editor);
  removeItems(editor, editor.selection.items);
  renameStage(editor, 'a', 'Other');
  connect(editor, 'c', 'a');
  addNote(editor);
  groupStages(editor);
  await duplicate(editor);
  await layout(editor);
  await expect(addStage(editor, { type: 'form' })).rejects.toThrow();
  expect(text(editor)).toBe(before);
});

/** Something that a person does, with numbers that choose on what. */
const ACTIONS: readonly ((editor: WorkflowEditor, i: number, j: number) => unknown)[] = [
  (editor, i) => addStage(editor, { type: (['form', 'hook', 'job', 'script'] as const)[i % 4] }),
  (editor, i, j) =>
    addStage(editor, {
      type: (['form', 'job', 'script'] as const)[j % 3],
      after: { source: nth(editor, 'stages', i) }
    }),
  (editor, i, j) =>
    addStage(editor, {
      type: (['form', 'job', 'script'] as const)[j % 3],
      before: nth(editor, 'transitions', i)
    }),
  (editor, i, j) => connect(editor, nth(editor, 'stages', i), nth(editor, 'stages', j)),
  (editor, i, j) => reconnect(editor, nth(editor, 'transitions', i), { target: nth(editor, 'stages', j) }),
  (editor, i, j) => reconnect(editor, nth(editor, 'transitions', i), { source: nth(editor, 'stages', j) }),
  (editor, i) => removeItems(editor, [stage(nth(editor, 'stages', i))]),
  (editor, i) => removeItems(editor, [{ kind: 'transitions', key: nth(editor, 'transitions', i) }]),
  (editor, i) => renameStage(editor, nth(editor, 'stages', i), ['Form', 'Ask', 'ß', '2'][i % 4]),
  (editor, i, j) => {
    editor.selection.set([stage(nth(editor, 'stages', i)), stage(nth(editor, 'stages', j))]);
    return duplicate(editor);
  },
  async (editor, i, j) => {
    editor.selection.set([stage(nth(editor, 'stages', i)), stage(nth(editor, 'stages', j))]);
    const cut = cutText(editor);
    if (cut !== null) {
      await pasteText(editor, cut, [j, i]);
    }
  },
  (editor, i, j) => groupStages(editor, [nth(editor, 'stages', i), nth(editor, 'stages', j)]),
  (editor, i, j) => moveToGroup(editor, [nth(editor, 'stages', i)], nth(editor, 'groups', j)),
  (editor, i, j) => moveItems(editor, new Map([[`stages:${nth(editor, 'stages', i)}`, [i * 3.7, -j * 1.3]]])),
  (editor, i) => {
    selectAll(editor);
    align(editor, (['left', 'middle', 'right'] as const)[i % 3]);
  },
  editor => layout(editor),
  editor => editor.document.undo(),
  editor => editor.document.redo()
];

function nth(editor: WorkflowEditor, kind: 'stages' | 'transitions' | 'groups', i: number): string {
  const keys = Object.keys(editor.document.snapshot[kind]).sort();
  return keys[i % Math.max(keys.length, 1)] ?? '';
}

it('whatever one does, the document is right, and undoing it all gives the exact text of before', async () => {
  const step = fc.tuple(
    fc.integer({ min: 0, max: ACTIONS.length - 1 }),
    fc.integer({ min: 0, max: 50 }),
    fc.integer({ min: 0, max: 50 })
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async steps => {
      const files = new Files();
      for (const name of ['ask', 'work', 'tell', 'nightly']) {
        files.files.set(`project/stages/${name}.ipynb`, name);
      }
      const editor = editorOf(ROW, files);
      const before = text(editor);
      for (const [which, i, j] of steps) {
        await ACTIONS[which](editor, i, j);
        expect(faults(editor.document.snapshot)).toEqual([]);
      }
      const after = text(editor);
      let undone = 0;
      while (editor.document.canUndo()) {
        editor.document.undo();
        undone++;
      }
      expect(text(editor)).toBe(before);
      for (; undone > 0; undone--) {
        editor.document.redo();
      }
      expect(text(editor)).toBe(after);
      // Nobody's notebook was written over.
      expect(files.files.get('project/stages/ask.ipynb')).toBe('ask');
      editor.dispose();
    }),
    { numRuns: 60 }
  );
}, 60_000);
