/**
 * The editor's models as React state.
 */
import type { ISignal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

import type { ISnapshot } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import type { IReference } from '../editor/selection';

/** Return what `read` returns, again after each signal. It has to return the same object if nothing changed. */
export function useSignalValue<S, T>(signal: ISignal<S, unknown>, read: () => T): T {
  const subscribe = useCallback(
    (notify: () => void) => {
      signal.connect(notify);
      return () => {
        signal.disconnect(notify);
      };
    },
    [signal]
  );
  return useSyncExternalStore(subscribe, read);
}

export function useSnapshot(editor: WorkflowEditor): ISnapshot {
  return useSignalValue(editor.document.changed, () => editor.document.snapshot);
}

export function useSelection(editor: WorkflowEditor): readonly IReference[] {
  return useSignalValue(editor.selection.changed, () => editor.selection.items);
}
