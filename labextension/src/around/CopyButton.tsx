import { Clipboard } from '@jupyterlab/apputils';
import { checkIcon, copyIcon } from '@jupyterlab/ui-components';
import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';

/** Copies a text, and says for a moment that it did. */
export function CopyButton({
  value,
  label,
  done
}: {
  value: string;
  label: string;
  done: string;
}): ReactElement {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? checkIcon.react : copyIcon.react;
  return (
    <button
      type="button"
      className="jp-Workflows-iconButton"
      aria-label={copied ? done : label}
      title={copied ? done : label}
      onClick={() => {
        Clipboard.copyToSystem(value);
        setCopied(true);
      }}
    >
      <Icon tag="span" width="16px" />
    </button>
  );
}
