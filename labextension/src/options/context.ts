import { createContext, useContext } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import type { Subject } from './subject';

/** What the fields of the panel work on. */
export interface IPanelContext {
  readonly editor: WorkflowEditor;
  readonly subject: Subject;
}

export const PanelContext = createContext<IPanelContext | null>(null);

export function usePanel(): IPanelContext {
  const context = useContext(PanelContext);
  if (context === null) {
    throw new Error('Fields need a panel around them.');
  }
  return context;
}
