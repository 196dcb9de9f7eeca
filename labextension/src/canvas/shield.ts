/**
 * While the pointer is held, the browser need not look for what lies below it among thousands of things: a shield lies
 * above them all, which also has the cursor. (Changing the cursor of the canvas would restyle everything in it.)
 */
export function shield(root: HTMLElement | null): HTMLElement | null {
  if (root === null) {
    return null;
  }
  const element = document.createElement('div');
  element.className = 'jp-Workflows-shield';
  root.append(element);
  return element;
}

/** Put a shield over the canvas until the pointer is let go. */
export function shieldWhilePressed(root: HTMLElement | null): void {
  let element: HTMLElement | null = null;
  const onMove = (): void => {
    element ??= shield(root);
  };
  const end = (): void => {
    element?.remove();
    window.removeEventListener('pointermove', onMove, true);
    window.removeEventListener('pointerup', end, true);
    window.removeEventListener('pointercancel', end, true);
  };
  window.addEventListener('pointermove', onMove, true);
  window.addEventListener('pointerup', end, true);
  window.addEventListener('pointercancel', end, true);
}
