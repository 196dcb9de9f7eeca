import { Clipboard } from '@jupyterlab/apputils';
import { checkIcon, copyIcon, caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import type { LabIcon } from '@jupyterlab/ui-components';
import { useEffect, useId, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';

import { usePanel } from '../context';

/** A button with an icon. */
export function IconButton({
  icon,
  label,
  onClick,
  disabled
}: {
  icon: LabIcon;
  label: string;
  onClick: () => void;
  disabled?: boolean;
}): ReactElement {
  return (
    <button
      type="button"
      className="jp-Workflows-optionIcon"
      title={label}
      aria-label={label}
      disabled={disabled}
      onClick={onClick}
    >
      <icon.react tag="span" width="16px" height="16px" />
    </button>
  );
}

/** A button that copies a text, and says so. */
export function CopyButton({ text, label }: { text: string; label: string }): ReactElement {
  const { trans } = usePanel().editor;
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (copied) {
      const timer = window.setTimeout(() => setCopied(false), 2000);
      return () => window.clearTimeout(timer);
    }
    return undefined;
  }, [copied]);
  return (
    <>
      <IconButton
        icon={copied ? checkIcon : copyIcon}
        label={label}
        onClick={() => {
          Clipboard.copyToSystem(text);
          setCopied(true);
        }}
      />
      <span className="jp-Workflows-optionUnseen" role="status">
        {copied ? trans.__('Copied') : ''}
      </span>
    </>
  );
}

/** Which sections are open, until the page is left. */
const opened = new Map<string, boolean>();

/** A part of the panel that can be closed. */
export function Section({
  name,
  title,
  hint,
  open = false,
  children
}: {
  /** Under which it is remembered. */
  name: string;
  title: string;
  /** What is said beside the title, such as how many fields are set. */
  hint?: string;
  /** Whether it is open as long as nobody has said. */
  open?: boolean;
  children: ReactNode;
}): ReactElement {
  const id = useId();
  const [isOpen, setOpen] = useState(opened.get(name) ?? open);
  const Icon = (isOpen ? caretDownIcon : caretRightIcon).react;
  return (
    <div className="jp-Workflows-optionSection">
      <h3>
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => {
            opened.set(name, !isOpen);
            setOpen(!isOpen);
          }}
        >
          <Icon tag="span" width="16px" height="16px" />
          {title}
          {hint && <small>{hint}</small>}
        </button>
      </h3>
      <div id={id} className="jp-Workflows-optionSectionBody" hidden={!isOpen}>
        {isOpen && children}
      </div>
    </div>
  );
}
