/**
 * What context menus on the canvas need besides their items.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

const CANVAS = '.jp-Workflows-canvas';
const THINGS = '.jp-Workflows-card, .jp-Workflows-arrow, .jp-Workflows-note, .jp-Workflows-group';

/**
 * Tell the menu of the empty canvas from those of what lies on it, and give the keyboard back to the canvas when a
 * menu is closed.
 */
export function openContextMenus(app: JupyterFrontEnd): void {
  let before: HTMLElement | null = null;
  document.addEventListener(
    'contextmenu',
    event => {
      const target = event.target as Element;
      const canvas = target.closest<HTMLElement>(CANVAS);
      before = null;
      if (canvas !== null) {
        canvas.dataset.menu = target.closest(THINGS) === null ? 'canvas' : 'thing';
        const focused = document.activeElement;
        before = focused instanceof HTMLElement && canvas.contains(focused) ? focused : canvas;
      }
    },
    true
  );
  app.contextMenu.menu.aboutToClose.connect(() => {
    const last = before;
    before = null;
    // A command that opens something has taken the keyboard itself.
    requestAnimationFrame(() => {
      if (last?.isConnected && document.activeElement === document.body) {
        last.focus({ preventScroll: true });
      }
    });
  });
}
