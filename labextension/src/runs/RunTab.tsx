import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';

/** How a stage stands in the run that is shown. */
export function RunTab({ editor, stage }: { editor: WorkflowEditor; stage: string }): ReactElement {
  return (
    <section aria-label={editor.trans.__('Run')} data-stage={stage}>
      {editor.trans.__('There is no run yet.')}
    </section>
  );
}
