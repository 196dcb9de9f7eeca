/**
 * Icons, of one family: drawn on 24 units with lines of 2, round ends.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import type { StageType } from './document/types';

export function icon(name: string, drawing: string): LabIcon {
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

const DRAWINGS: Readonly<Record<StageType, string>> = {
  form: '<rect x="4" y="3" width="16" height="18" rx="2"/><path d="M8 8h8M8 12.5h8"/><path d="M8 17h3"/>',
  hook: '<path d="M13 3 5.5 13.5H12L11 21l7.5-10.5H12z"/>',
  job: '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>',
  script: '<path d="m8 7-5 5 5 5"/><path d="m16 7 5 5-5 5"/><path d="m13.5 5-3 14"/>'
};

export const stageIcons: Readonly<Record<StageType, LabIcon>> = {
  form: icon('form', DRAWINGS.form),
  hook: icon('hook', DRAWINGS.hook),
  job: icon('job', DRAWINGS.job),
  script: icon('script', DRAWINGS.script)
};

/**
 * The icons of the stages in white, as images of a style sheet: a thousand cards share four of them.
 */
export const stageImages: Readonly<Record<StageType | 'notebook', string>> = {
  form: image(DRAWINGS.form),
  hook: image(DRAWINGS.hook),
  job: image(DRAWINGS.job),
  script: image(DRAWINGS.script),
  notebook: image('<path d="M6 3h11a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H6zM6 3v18M10.5 8H15M10.5 12H15"/>')
};

/** Glyphs that are coloured by the style sheet, as masks. */
export const glyphs: Readonly<Record<string, string>> = {
  queued: image('<circle cx="12" cy="12" r="9"/><path d="M8 12h.01M12 12h.01M16 12h.01"/>'),
  running: image('<path d="M21 12a9 9 0 1 1-4.5-7.8"/>'),
  waiting: image('<path d="M6 3h12M6 21h12M7 3c0 5 5 6 5 9s-5 4-5 9M17 3c0 5-5 6-5 9s5 4 5 9"/>'),
  completed: image('<circle cx="12" cy="12" r="9"/><path d="m8 12 3 3 5-6"/>'),
  failed: image('<circle cx="12" cy="12" r="9"/><path d="m9 9 6 6M15 9l-6 6"/>'),
  cancelled: image('<circle cx="12" cy="12" r="9"/><path d="M8 12h8"/>'),
  pin: image('<path d="M9 3h6l-1 7 4 4H6l4-4zM12 14v7"/>'),
  eachGlyph: image('<path d="M3 12h5M8 12c4 0 3-7 8-7h5M8 12h13M8 12c4 0 3 7 8 7h5"/>')
};

export const zoomInIcon = icon('zoom-in', '<path d="M12 5v14M5 12h14"/>');
export const zoomOutIcon = icon('zoom-out', '<path d="M5 12h14"/>');
export const fitIcon = icon(
  'fit',
  '<path d="M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4"/>' +
    '<rect x="9" y="9" width="6" height="6" rx="1"/>'
);
export const mapIcon = icon(
  'map',
  '<path d="m9 4-6 2.5v13L9 17l6 3 6-2.5v-13L15 7z"/><path d="M9 4v13M15 7v13"/>'
);

function image(drawing: string): string {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="white" ' +
    `stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${drawing}</svg>`;
  return `url("data:image/svg+xml,${encodeURIComponent(svg)}")`;
}
