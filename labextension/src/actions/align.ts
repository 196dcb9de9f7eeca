/**
 * Aligning what is selected.
 */
import type { Point } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { bounds, keyOf, rectOf } from './geometry';
import type { IRect } from './geometry';
import { moveItems } from './selection';

export type Alignment = 'left' | 'center' | 'right' | 'top' | 'middle' | 'bottom';
export type Axis = 'horizontal' | 'vertical';

interface IPlaced {
  readonly name: string;
  readonly rect: IRect;
}

/** Put what is selected on a line. */
export function align(editor: WorkflowEditor, alignment: Alignment): void {
  const items = placed(editor);
  const frame = bounds(items.map(item => item.rect));
  if (frame === null || items.length < 2) {
    return;
  }
  const place = ({ x, y, width, height }: IRect): Point => {
    switch (alignment) {
      case 'left':
        return [frame.x, y];
      case 'center':
        return [frame.x + (frame.width - width) / 2, y];
      case 'right':
        return [frame.x + frame.width - width, y];
      case 'top':
        return [x, frame.y];
      case 'middle':
        return [x, frame.y + (frame.height - height) / 2];
      case 'bottom':
        return [x, frame.y + frame.height - height];
    }
  };
  moveItems(editor, new Map(items.map(({ name, rect }) => [name, place(rect)])));
}

/** Make the room between what is selected the same; the outer ones stay. */
export function distribute(editor: WorkflowEditor, axis: Axis): void {
  const across = axis === 'horizontal';
  const begin = ({ rect }: IPlaced): number => (across ? rect.x : rect.y);
  const size = ({ rect }: IPlaced): number => (across ? rect.width : rect.height);
  const items = placed(editor).sort((one, other) => begin(one) - begin(other));
  if (items.length < 3) {
    return;
  }
  const last = items[items.length - 1];
  const used = items.reduce((sum, item) => sum + size(item), 0);
  const gap = (begin(last) + size(last) - begin(items[0]) - used) / (items.length - 1);
  const places = new Map<string, Point>();
  let next = begin(items[0]);
  for (const item of items) {
    places.set(item.name, across ? [next, item.rect.y] : [item.rect.x, next]);
    next += size(item) + gap;
  }
  moveItems(editor, places);
}

function placed(editor: WorkflowEditor): IPlaced[] {
  const { snapshot } = editor.document;
  return editor.selection.items.flatMap(item => {
    const rect = rectOf(snapshot, item);
    return rect === null ? [] : [{ name: keyOf(item.kind, item.key), rect }];
  });
}
