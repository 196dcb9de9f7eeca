import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import { useSelection, useSnapshot } from '../workbench/hooks';

/** Settings of what is selected. */
export function OptionsPanel({
  editor,
  onClose
}: {
  editor: WorkflowEditor;
  onClose: () => void;
}): ReactElement {
  const snapshot = useSnapshot(editor);
  const item = useSelection(editor)[0];
  const fields = item === undefined ? snapshot.meta : snapshot[item.kind][item.key];
  return (
    <section className="jp-Workflows-options" aria-label={editor.trans.__('Options')}>
      <button type="button" onClick={onClose}>
        {editor.trans.__('Close')}
      </button>
      <pre>{JSON.stringify(fields, null, 2)}</pre>
    </section>
  );
}
