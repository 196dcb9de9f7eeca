import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';

/** Trying out a stage. */
export function TestTab({ editor, stage }: { editor: WorkflowEditor; stage: string }): ReactElement {
  return (
    <section aria-label={editor.trans.__('Test')} data-stage={stage}>
      {editor.trans.__('Test')}
    </section>
  );
}
