/**
 * Icons of commands.
 */
import { icon } from '../icons';

export const transitionIcon = icon(
  'transition',
  '<circle cx="5.5" cy="12" r="2.5"/><path d="M8 12h12"/><path d="m16 8 4 4-4 4"/>'
);
export const layoutIcon = icon(
  'layout',
  '<rect x="3" y="9" width="6" height="6" rx="1.5"/><rect x="15" y="3" width="6" height="6" rx="1.5"/>' +
    '<rect x="15" y="15" width="6" height="6" rx="1.5"/><path d="M9 12h3M15 6h-1.5A1.5 1.5 0 0 0 12 7.5v9a1.5 1.5 0 0 0 1.5 1.5H15"/>'
);
export const zoomFitIcon = icon(
  'zoom-fit',
  '<path d="M4 9V5.5A1.5 1.5 0 0 1 5.5 4H9M15 4h3.5A1.5 1.5 0 0 1 20 5.5V9M20 15v3.5a1.5 1.5 0 0 1-1.5 1.5H15M9 20H5.5A1.5 1.5 0 0 1 4 18.5V15"/>' +
    '<rect x="8.5" y="9.5" width="7" height="5" rx="1"/>'
);
export const noteIcon = icon(
  'note',
  '<path d="M4 5.5A1.5 1.5 0 0 1 5.5 4h13A1.5 1.5 0 0 1 20 5.5V14l-6 6H5.5A1.5 1.5 0 0 1 4 18.5z"/><path d="M20 14h-4.5a1.5 1.5 0 0 0-1.5 1.5V20"/>'
);
export const groupIcon = icon(
  'group',
  '<rect x="3" y="5" width="18" height="15" rx="2" stroke-dasharray="3.5 3"/><path d="M8 12.5h8"/>'
);
