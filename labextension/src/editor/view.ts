/**
 * What a canvas can be asked to do.
 */
import type { Point } from '../document/types';
import type { IReference } from './selection';

export interface ICanvasView {
  /** Bring everything, or some stages, into view. */
  fit(stages?: readonly string[]): void;
  zoomIn(): void;
  zoomOut(): void;
  zoomTo(zoom: number): void;
  /** Bring something into view, without a change of zoom where that is possible, and focus it unless `focus` is false. */
  reveal(item: IReference, options?: { readonly focus?: boolean }): void;
  /** Give the canvas the keyboard. */
  focus(): void;
  /** Begin to draw a transition: the arrow follows the pointer or the arrow keys to the next stage. */
  startTransition(source: string, on?: 'completed' | 'failed'): void;
  /** Point of the document in the middle of what is seen. */
  center(): Point;
  /** Point of the document below a point of the page. */
  toDocument(clientX: number, clientY: number): Point;
  /** Where the pointer was last on the canvas, in the document; `null` if it is elsewhere. */
  pointer(): Point | null;
}
