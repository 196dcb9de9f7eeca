/**
 * On which workflow a command acts, and what of it.
 */
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { WorkflowDocument } from '../document/widget';
import type { WorkflowEditor } from '../editor/editor';
import type { IReference } from '../editor/selection';
import type { IWorkflowTracker } from '../tokens';

/** Description of the argument that all commands have. */
export const PATH = {
  type: 'string',
  description: 'Path of the workflow; by default the one that is shown.'
} as const;

export const STAGE = {
  type: 'string',
  description: 'Key of the stage; by default the one that is selected.'
} as const;

/** Return the description of a command's arguments. */
export function describedBy(properties: Record<string, ReadonlyJSONObject> = {}): {
  args: ReadonlyJSONObject;
} {
  return { args: { type: 'object', properties: { path: PATH, ...properties } } };
}

/** Finds the workflow that a command is for. */
export class Current {
  constructor(readonly tracker: IWorkflowTracker) {}

  /** The tab of the workflow that the arguments name, else of the one that is shown. */
  widget(args: ReadonlyPartialJSONObject): WorkflowDocument | null {
    const { path } = args;
    if (typeof path !== 'string') {
      return this.tracker.currentWidget;
    }
    return (
      this.tracker.find(widget => widget.context.path === path) ??
      this.tracker.find(widget => widget.editor.path === path) ??
      null
    );
  }

  editor(args: ReadonlyPartialJSONObject): WorkflowEditor | null {
    return this.widget(args)?.editor ?? null;
  }

  /** The workflow, if it can be changed. */
  editable(args: ReadonlyPartialJSONObject): WorkflowEditor | null {
    const editor = this.editor(args);
    return editor === null || editor.readOnly ? null : editor;
  }
}

/** Return the stage that the arguments name, else the one that is selected alone. */
export function stageOf(editor: WorkflowEditor, args: ReadonlyPartialJSONObject): string | null {
  const key = typeof args.stage === 'string' ? args.stage : onlyOf(editor, 'stages');
  return key !== null && Object.hasOwn(editor.document.snapshot.stages, key) ? key : null;
}

/** Return the one thing of a kind that is selected, without others of it. */
export function onlyOf(editor: WorkflowEditor, kind: IReference['kind']): string | null {
  const keys = editor.selection.keys(kind);
  return keys.length === 1 ? keys[0] : null;
}

type Args = ReadonlyPartialJSONObject;

/** A command on a workflow. */
export interface IWorkflowCommand extends Omit<
  CommandRegistry.ICommandOptions,
  'execute' | 'isEnabled' | 'describedBy'
> {
  /** Its arguments beside the path. */
  readonly args?: Record<string, ReadonlyJSONObject>;
  readonly when?: (editor: WorkflowEditor, args: Args) => boolean;
  readonly run: (editor: WorkflowEditor, args: Args) => unknown;
}

/** Return what adds commands on the workflow that `find` finds, enabled while it is `ready`. */
export function adder(
  commands: CommandRegistry,
  current: Current,
  find: (args: Args) => WorkflowEditor | null,
  ready: (editor: WorkflowEditor) => boolean = () => true
): (id: string, command: IWorkflowCommand) => void {
  return (id, { args: properties, when, run, ...rest }) => {
    commands.addCommand(id, {
      isVisible: args => current.widget(args) !== null,
      ...rest,
      describedBy: describedBy(properties),
      isEnabled: args => {
        const editor = find(args);
        return editor !== null && ready(editor) && (when?.(editor, args) ?? true);
      },
      execute: args => {
        const editor = find(args);
        return editor === null ? undefined : run(editor, args);
      }
    });
  };
}
