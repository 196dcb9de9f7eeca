import { LabIcon } from '@jupyterlab/ui-components';

export const inboxIcon = new LabIcon({
  name: 'jupyter-workflows:inbox',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24" fill="none" stroke-width="2" ' +
    'stroke-linecap="round" stroke-linejoin="round"><g class="jp-icon3" stroke="#616161">' +
    '<path d="M4 13 6.6 5.4A2 2 0 0 1 8.5 4h7a2 2 0 0 1 1.9 1.4L20 13v5a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z"/>' +
    '<path d="M4 13h4.5l1.5 3h4l1.5-3H20"/></g></svg>'
});
