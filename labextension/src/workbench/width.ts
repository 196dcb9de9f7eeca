/**
 * How wide the options were left; for all workflows, in this browser.
 */
const NAME = 'jupyter-workflows:options-width';
const USUAL = 340;
const LEAST = 280;

/** Return how wide the options are to be in a tab of some width. */
export function recallWidth(total: number): number {
  let width = USUAL;
  try {
    width = Number(window.localStorage.getItem(NAME)) || USUAL;
  } catch {
    // There is no storage: the usual width.
  }
  const most = total > 0 ? Math.max(LEAST, total / 2) : USUAL;
  return Math.round(Math.min(Math.max(width, LEAST), most));
}

export function rememberWidth(width: number): void {
  try {
    window.localStorage.setItem(NAME, String(Math.round(width)));
  } catch {
    // It is not remembered.
  }
}
