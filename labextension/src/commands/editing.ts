/**
 * Commands that change a graph.
 */
import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  copyIcon,
  cutIcon,
  deleteIcon,
  duplicateIcon,
  pasteIcon,
  redoIcon,
  undoIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import type { Alignment, Axis } from '../actions/align';
import { STAGE_TYPES, isStageType } from '../document/types';
import type { Point, StageType } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { stageIcons } from '../icons';
import { CommandIDs } from '../tokens';
import { STAGE, adder, onlyOf, stageOf } from './current';
import type { Current } from './current';
import { groupIcon, layoutIcon, noteIcon, transitionIcon } from './icons';
import { readClipboard, writeClipboard } from './systemclipboard';

const ALIGNMENTS: readonly Alignment[] = ['left', 'center', 'right', 'top', 'middle', 'bottom'];
const AXES: readonly Axis[] = ['horizontal', 'vertical'];

const POSITION = {
  type: 'array',
  items: { type: 'number' },
  minItems: 2,
  maxItems: 2,
  description: 'Point of the document.'
};

/** The actions, which are loaded with the first use. */
const actions = (): Promise<typeof import('../actions')> => import('../actions');

export function addEditingCommands(
  commands: CommandRegistry,
  current: Current,
  trans: TranslationBundle
): void {
  /** Add a command on a workflow that can be changed. */
  const add = adder(commands, current, args => current.editable(args));
  const some = (editor: WorkflowEditor): boolean => editor.selection.items.length > 0;
  const placed = (editor: WorkflowEditor): number =>
    editor.selection.items.filter(item => item.kind !== 'transitions').length;
  const several = (editor: WorkflowEditor): boolean => placed(editor) > 1;

  const types: Record<StageType, string> = {
    form: trans.__('Add Form'),
    hook: trans.__('Add Hook'),
    job: trans.__('Add Job'),
    script: trans.__('Add Script')
  };
  add(CommandIDs.addStage, {
    label: ({ type, toolbar }) => (toolbar ? '' : isStageType(type) ? types[type] : trans.__('Add Stage…')),
    caption: trans.__(
      'Add a stage: after the one that is selected, on the arrow that is selected, or at the pointer'
    ),
    icon: ({ type }) => (isStageType(type) ? stageIcons[type] : addIcon),
    args: {
      type: {
        type: 'string',
        enum: [...STAGE_TYPES],
        description: 'Type of the stage; else one is asked for.'
      },
      title: { type: 'string' },
      position: POSITION,
      notebook: { type: 'string', description: 'A notebook that exists, relative to the workflow.' },
      alone: { type: 'boolean', description: 'Without a transition to it.' }
    },
    run: async (editor, args) => {
      const type = isStageType(args.type) ? args.type : await askType(trans);
      if (type === null) {
        return;
      }
      const { addStage, takesTransitions } = await actions();
      const joins = takesTransitions(type) && !args.alone;
      const source = onlyOf(editor, 'stages');
      const transition = onlyOf(editor, 'transitions');
      const alone = editor.selection.items.length === 1;
      try {
        return await addStage(editor, {
          type,
          // As soon as its card is drawn, so that the next key is for it.
          added: key => requestAnimationFrame(() => editor.view?.reveal({ kind: 'stages', key })),
          ...(typeof args.title === 'string' ? { title: args.title } : {}),
          ...(typeof args.notebook === 'string' ? { notebook: args.notebook } : {}),
          ...(isPoint(args.position)
            ? { position: args.position }
            : joins && alone && source !== null
              ? { after: { source } }
              : joins && alone && transition !== null
                ? { before: transition }
                : atPointer(editor))
        });
      } catch (error) {
        Notification.error(
          trans.__('The stage could not be added: %1', error instanceof Error ? error.message : String(error))
        );
      }
    }
  });

  add(CommandIDs.addTransition, {
    label: ({ on, toolbar }) =>
      toolbar
        ? trans.__('Add transition')
        : on === 'failed'
          ? trans.__('Add Transition for Failure')
          : trans.__('Add Transition'),
    caption: trans.__('Pull an arrow from the selected stage to the next one'),
    icon: transitionIcon,
    args: {
      stage: STAGE,
      on: { type: 'string', enum: ['completed', 'failed'], description: 'When it fires.' }
    },
    when: (editor, args) => stageOf(editor, args) !== null,
    run: (editor, args) => {
      const source = stageOf(editor, args);
      if (source !== null) {
        editor.view?.startTransition(source, args.on === 'failed' ? 'failed' : 'completed');
      }
      return Promise.resolve();
    }
  });

  add(CommandIDs.addNote, {
    label: trans.__('Add Note'),
    caption: trans.__('Put a note on the canvas'),
    icon: noteIcon,
    args: { position: POSITION, text: { type: 'string' } },
    run: async (editor, { position, text }) => {
      const { addNote } = await actions();
      const key = addNote(editor, {
        ...(isPoint(position) ? { position } : atPointer(editor)),
        ...(typeof text === 'string' ? { text } : {})
      });
      if (key !== null) {
        editor.view?.reveal({ kind: 'notes', key });
      }
      return key;
    }
  });

  add(CommandIDs.deleteSelection, {
    label: trans.__('Delete'),
    caption: trans.__('Delete what is selected; notebooks stay'),
    icon: deleteIcon,
    when: some,
    run: async editor => {
      const { removeItems } = await actions();
      removeItems(editor, editor.selection.items);
      editor.view?.focus();
    }
  });

  add(CommandIDs.copy, {
    label: trans.__('Copy'),
    caption: trans.__('Copy what is selected'),
    icon: copyIcon,
    when: editor => placed(editor) > 0,
    run: async editor => {
      const text = (await actions()).copyText(editor);
      if (text !== null) {
        writeClipboard(text);
      }
    }
  });

  add(CommandIDs.cut, {
    label: trans.__('Cut'),
    caption: trans.__('Cut out what is selected'),
    icon: cutIcon,
    when: editor => placed(editor) > 0,
    run: async editor => {
      const text = (await actions()).cutText(editor);
      if (text !== null) {
        writeClipboard(text);
        editor.view?.focus();
      }
    }
  });

  add(CommandIDs.paste, {
    label: trans.__('Paste'),
    caption: trans.__('Insert stages that were copied, with copies of their notebooks'),
    icon: pasteIcon,
    run: async (editor, args) => {
      const byKey = (args._luminoEvent as { type?: string } | undefined)?.type === 'keybinding';
      const text = await readClipboard(byKey);
      const { pasteText } = await actions();
      if (text === null || !(await pasteText(editor, text, editor.view?.pointer() ?? undefined))) {
        Notification.info(trans.__('There are no stages on the clipboard.'), { autoClose: 3000 });
        return;
      }
      reveal(editor);
    }
  });

  add(CommandIDs.duplicate, {
    label: trans.__('Duplicate'),
    caption: trans.__('Duplicate what is selected, with its notebooks'),
    icon: duplicateIcon,
    when: editor => placed(editor) > 0,
    run: async editor => {
      await (await actions()).duplicate(editor);
      reveal(editor);
    }
  });

  add(CommandIDs.selectAll, {
    label: trans.__('Select All'),
    caption: trans.__('Select everything on the canvas'),
    run: async editor => (await actions()).selectAll(editor)
  });

  add(CommandIDs.moveSelection, {
    label: trans.__('Move Selection'),
    caption: trans.__('Move what is selected'),
    args: {
      dx: { type: 'number', description: 'How far to the right.' },
      dy: { type: 'number', description: 'How far down.' }
    },
    when: editor => placed(editor) > 0,
    run: async (editor, { dx, dy }) =>
      (await actions()).moveSelection(editor, Number(dx ?? 0), Number(dy ?? 0))
  });

  const alignments: Record<Alignment, string> = {
    left: trans.__('Align Left'),
    center: trans.__('Align Centers'),
    right: trans.__('Align Right'),
    top: trans.__('Align Top'),
    middle: trans.__('Align Middles'),
    bottom: trans.__('Align Bottom')
  };
  const isAlignment = (value: unknown): value is Alignment => ALIGNMENTS.includes(value as Alignment);
  add(CommandIDs.align, {
    label: ({ to }) => (isAlignment(to) ? alignments[to] : trans.__('Align')),
    caption: trans.__('Put what is selected on a line'),
    args: { to: { type: 'string', enum: [...ALIGNMENTS] } },
    when: (editor, { to }) => isAlignment(to) && several(editor),
    run: async (editor, { to }) => isAlignment(to) && (await actions()).align(editor, to)
  });

  const isAxis = (value: unknown): value is Axis => AXES.includes(value as Axis);
  add(CommandIDs.distribute, {
    label: ({ axis }) =>
      axis === 'vertical' ? trans.__('Distribute Vertically') : trans.__('Distribute Horizontally'),
    caption: trans.__('Make the room between what is selected the same'),
    args: { axis: { type: 'string', enum: [...AXES] } },
    when: (editor, { axis }) => isAxis(axis) && placed(editor) > 2,
    run: async (editor, { axis }) => isAxis(axis) && (await actions()).distribute(editor, axis)
  });

  add(CommandIDs.layout, {
    label: ({ toolbar }) => (toolbar ? '' : trans.__('Arrange')),
    caption: trans.__('Lay out the selected stages, or all, from left to right'),
    icon: layoutIcon,
    when: editor => Object.keys(editor.document.snapshot.stages).length > 0,
    run: async editor => {
      await (await actions()).layout(editor);
      editor.view?.fit();
    }
  });

  add(CommandIDs.group, {
    label: trans.__('Group'),
    caption: trans.__('Put a frame around the selected stages'),
    icon: groupIcon,
    when: editor => editor.selection.keys('stages').length > 0,
    run: async editor => (await actions()).groupStages(editor)
  });

  add(CommandIDs.ungroup, {
    label: trans.__('Ungroup'),
    caption: trans.__('Remove the frame; its stages stay'),
    when: editor => {
      const stages = editor.selection.keys('stages');
      return (
        editor.selection.keys('groups').length > 0 ||
        Object.values(editor.document.snapshot.groups).some(group =>
          group.stages?.some(stage => stages.includes(stage))
        )
      );
    },
    run: async editor => {
      (await actions()).ungroup(editor);
      editor.view?.focus();
    }
  });

  add(CommandIDs.rename, {
    label: trans.__('Rename…'),
    caption: trans.__('Give the stage or group another title'),
    args: { stage: STAGE, title: { type: 'string' } },
    when: (editor, args) => stageOf(editor, args) !== null || onlyOf(editor, 'groups') !== null,
    run: async (editor, args) => {
      const stage = stageOf(editor, args);
      const group = stage === null ? onlyOf(editor, 'groups') : null;
      const { stages, groups } = editor.document.snapshot;
      const text = stage === null ? (groups[group!]?.title ?? '') : stages[stage].title;
      const title = typeof args.title === 'string' ? args.title : await askTitle(trans, text);
      if (title !== null && title.trim() !== '') {
        const { renameStage, setGroup } = await actions();
        if (stage !== null) {
          renameStage(editor, stage, title);
        } else {
          setGroup(editor, group!, { title: title.trim() });
        }
      }
      editor.view?.focus();
    }
  });

  add(CommandIDs.toggleDisabled, {
    label: args => {
      const editor = current.editor(args);
      const stage =
        editor === null ? undefined : (stageOf(editor, args) ?? editor.selection.keys('stages')[0]);
      return stage !== undefined && editor?.document.snapshot.stages[stage]?.disabled
        ? trans.__('Enable')
        : trans.__('Disable');
    },
    caption: trans.__('A disabled stage passes its data through without being executed'),
    args: { stage: STAGE },
    when: (editor, args) => stageOf(editor, args) !== null || editor.selection.keys('stages').length > 0,
    run: async (editor, args) => {
      const stage = stageOf(editor, args);
      (await actions()).toggleDisabled(editor, stage === null ? editor.selection.keys('stages') : [stage]);
    }
  });

  for (const [id, label, caption, icon] of [
    [CommandIDs.undo, trans.__('Undo'), trans.__('Undo the last change of the graph'), undoIcon],
    [CommandIDs.redo, trans.__('Redo'), trans.__('Redo the change that was undone'), redoIcon]
  ] as const) {
    const undo = id === CommandIDs.undo;
    add(id, {
      label: ({ toolbar }) => (toolbar ? '' : label),
      caption,
      icon,
      when: ({ document }) => (undo ? document.canUndo() : document.canRedo()),
      run: editor => {
        if (undo) {
          editor.document.undo();
        } else {
          editor.document.redo();
        }
        return Promise.resolve();
      }
    });
  }
}

/** Where a new thing goes that nothing else says the place of: its middle below the pointer. */
function atPointer(editor: WorkflowEditor): { readonly position?: Point } {
  const point = editor.view?.pointer() ?? null;
  return point === null ? {} : { position: [point[0] - 112, point[1] - 32] };
}

function reveal(editor: WorkflowEditor): void {
  const [first] = editor.selection.items;
  if (first !== undefined) {
    const all = editor.selection.items;
    editor.view?.reveal(first);
    editor.selection.set(all);
  }
}

async function askType(trans: TranslationBundle): Promise<StageType | null> {
  const { typeName, typeCaption } = await actions();
  const items = STAGE_TYPES.map(type => `${typeName(type, trans)}: ${typeCaption(type, trans)}`);
  const result = await InputDialog.getItem({ title: trans.__('Add a stage'), items });
  const i = items.indexOf(result.value ?? '');
  return result.button.accept && i >= 0 ? STAGE_TYPES[i] : null;
}

async function askTitle(trans: TranslationBundle, text: string): Promise<string | null> {
  const result = await InputDialog.getText({
    title: trans.__('Rename'),
    text,
    okLabel: trans.__('Rename'),
    selectionRange: text.length
  });
  return result.button.accept ? result.value : null;
}

function isPoint(value: unknown): value is Point {
  return Array.isArray(value) && value.length === 2 && value.every(one => Number.isFinite(one));
}
