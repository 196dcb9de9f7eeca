/**
 * Icons, of one family: drawn on 24 units with lines of 2, round ends.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import type { StageType } from './document/types';

function icon(name: string, drawing: string): LabIcon {
  return new LabIcon({
    name: `jupyter-workflows:${name}`,
    svgstr:
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24" fill="none" ' +
      'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">' +
      `<g class="jp-icon3" stroke="#616161">${drawing}</g></svg>`
  });
}

export const workflowIcon = icon(
  'workflow',
  '<rect x="3" y="4" width="7" height="6" rx="1.5"/><rect x="14" y="14" width="7" height="6" rx="1.5"/>' +
    '<path d="M10 7h4.5a2 2 0 0 1 2 2v5"/>'
);

export const stageIcons: Readonly<Record<StageType, LabIcon>> = {
  form: icon(
    'form',
    '<rect x="4" y="3" width="16" height="18" rx="2"/><path d="M8 8h8M8 12.5h8"/><path d="M8 17h3"/>'
  ),
  hook: icon('hook', '<path d="M13 3 5.5 13.5H12L11 21l7.5-10.5H12z"/>'),
  job: icon('job', '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>'),
  script: icon('script', '<path d="m8 7-5 5 5 5"/><path d="m16 7 5 5-5 5"/><path d="m13.5 5-3 14"/>')
};
