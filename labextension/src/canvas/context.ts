import { createContext, useContext } from 'react';

import type { CanvasModel } from './model';

export const CanvasContext = createContext<CanvasModel | null>(null);

export function useCanvas(): CanvasModel {
  const model = useContext(CanvasContext);
  if (model === null) {
    throw new Error('Outside of a canvas.');
  }
  return model;
}
