/**
 * The system's clipboard. Where a browser does not let us read it, what was copied last in this page.
 */

let last: string | null = null;

/** Milliseconds in which a browser's own paste has to follow its key. */
const FOLLOWS = 60;

/** Copy a text, during the handling of a key or click. */
export function writeClipboard(text: string): void {
  last = text;
  const onCopy = (event: ClipboardEvent): void => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener('copy', onCopy, { capture: true, once: true });
  let done = false;
  try {
    // The one way that needs neither a secure origin nor a permission.

    done = document.execCommand('copy');
  } finally {
    document.removeEventListener('copy', onCopy, { capture: true });
  }
  if (!done) {
    void navigator.clipboard?.writeText(text).catch(() => undefined);
  }
}

/** Read the clipboard; what the browser's own paste says if the key for it was pressed, which asks nobody. */
export async function readClipboard(byKey: boolean): Promise<string | null> {
  const pasted = byKey ? await nextPaste() : null;
  if (pasted !== null) {
    return pasted;
  }
  try {
    return (await navigator.clipboard?.readText()) || last;
  } catch {
    return last;
  }
}

function nextPaste(): Promise<string | null> {
  return new Promise(resolve => {
    const end = (text: string | null): void => {
      window.clearTimeout(timer);
      document.removeEventListener('paste', onPaste, true);
      resolve(text);
    };
    const onPaste = (event: ClipboardEvent): void => {
      event.preventDefault();
      event.stopImmediatePropagation();
      end(event.clipboardData?.getData('text/plain') ?? null);
    };
    const timer = window.setTimeout(() => end(null), FOLLOWS);
    document.addEventListener('paste', onPaste, true);
  });
}
