/**
 * What is dragged onto the canvas: stage types from the palette, notebooks from the file browser.
 */
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { Drag } from '@lumino/dragdrop';

import { isStageType } from '../document/types';
import type { Point, StageType } from '../document/types';
import { addStage } from '../actions/stages';
import { CARD_HEIGHT, CARD_WIDTH, snap } from './geometry';
import type { CanvasModel } from './model';

/** What the palette drags. */
export const STAGE_TYPE_MIME = 'application/x-jupyter-workflows-stage-type';
/** What the file browser drags. */
const CONTENTS_MIME = 'application/x-jupyter-icontents';

const EVENTS = ['lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop'];

export class Drops {
  constructor(private readonly _model: CanvasModel) {}

  attach(root: HTMLElement): void {
    EVENTS.forEach(name => root.addEventListener(name, this));
  }

  detach(root: HTMLElement): void {
    EVENTS.forEach(name => root.removeEventListener(name, this));
  }

  handleEvent(raw: Event): void {
    const event = raw as Drag.Event;
    if (this._model.readOnly || (this._type(event) === null && this._notebooks(event).length === 0)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    switch (event.type) {
      case 'lm-dragenter':
      case 'lm-dragover':
        event.dropAction = event.proposedAction;
        this._model.root?.classList.add('jp-mod-dropTarget');
        this._show(event);
        break;
      case 'lm-dragleave':
        this._end();
        break;
      case 'lm-drop':
        this._end();
        event.dropAction = event.proposedAction;
        void this._drop(event);
        break;
    }
  }

  private async _drop(event: Drag.Event): Promise<void> {
    const { editor } = this._model;
    const at = this._at(event);
    const type = this._type(event);
    try {
      if (type !== null) {
        const key = await addStage(editor, { type, position: at });
        this._model.focus({ kind: 'stages', key });
        return;
      }
      let [x, y] = at;
      for (const path of this._notebooks(event)) {
        const notebook = await this._within(path);
        await addStage(editor, { type: 'script', notebook, position: [x, y] });
        [x, y] = [x, y + CARD_HEIGHT + 32];
      }
    } catch (error) {
      Notification.error(editor.trans.__('The stage could not be added: %1', (error as Error).message));
    }
  }

  /** Return a notebook's path in the project; one from elsewhere is copied into it. */
  private async _within(path: string): Promise<string> {
    const { editor } = this._model;
    const { contents, trans } = editor;
    const folder = PathExt.dirname(editor.path);
    const local = contents.localPath(path);
    const sameDrive = contents.driveName(path) === contents.driveName(editor.context.path);
    if (sameDrive && (folder === '' || local.startsWith(`${folder}/`))) {
      return folder === '' ? local : local.slice(folder.length + 1);
    }
    const copy = await contents.copy(path, PathExt.dirname(editor.notebookPath(PathExt.basename(path))));
    Notification.info(
      trans.__('The notebook is outside of the project: a copy of it is “%1”.', PathExt.basename(copy.path)),
      { autoClose: 5000 }
    );
    return PathExt.basename(contents.localPath(copy.path));
  }

  private _at(event: Drag.Event): Point {
    const [x, y] = this._model.toDocument(event.clientX, event.clientY);
    return [snap(x - CARD_WIDTH / 2), snap(y - CARD_HEIGHT / 2)];
  }

  private _show(event: Drag.Event): void {
    this._model.setDropAt(this._at(event));
  }

  private _end(): void {
    this._model.root?.classList.remove('jp-mod-dropTarget');
    this._model.setDropAt(null);
  }

  private _type(event: Drag.Event): StageType | null {
    const type: unknown = event.mimeData.getData(STAGE_TYPE_MIME);
    return isStageType(type) ? type : null;
  }

  private _notebooks(event: Drag.Event): readonly string[] {
    const paths: unknown = event.mimeData.getData(CONTENTS_MIME);
    return Array.isArray(paths) ? (paths as string[]).filter(path => path.endsWith('.ipynb')) : [];
  }
}
