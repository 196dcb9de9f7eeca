import { useId } from 'react';
import type { ReactElement, ReactNode } from 'react';

import type { IMessage } from '../subject';

/** What every field has around its control. */
export interface IFrame {
  readonly label: string;
  readonly help?: ReactNode;
  readonly messages?: readonly IMessage[];
  /** Buttons at the right end of the label's line. */
  readonly aside?: ReactNode;
  readonly className?: string;
}

/** What a control needs so that the label and the texts below belong to it. */
export interface IControlIds {
  readonly id: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: true;
}

/** A control with its label above, and help and messages below. */
export function Field({
  label,
  help,
  messages = [],
  aside,
  className = '',
  children
}: IFrame & { children: (ids: IControlIds) => ReactNode }): ReactElement {
  const id = useId();
  const described = [help ? `${id}-help` : '', messages.length > 0 ? `${id}-messages` : ''].filter(Boolean);
  return (
    <div className={`jp-Workflows-optionField ${className}`}>
      <div className="jp-Workflows-optionFieldHead">
        <label htmlFor={id}>{label}</label>
        {aside}
      </div>
      {children({
        id,
        'aria-describedby': described.join(' ') || undefined,
        'aria-invalid': messages.some(one => one.severity === 'error') || undefined
      })}
      <Below id={id} help={help} messages={messages} />
    </div>
  );
}

/** Controls that belong together, with a label above all of them. */
export function FieldGroup({
  label,
  help,
  messages = [],
  aside,
  className = '',
  children
}: IFrame & { children: ReactNode }): ReactElement {
  const id = useId();
  const described = [help ? `${id}-help` : '', messages.length > 0 ? `${id}-messages` : ''].filter(Boolean);
  return (
    <div
      className={`jp-Workflows-optionField ${className}`}
      role="group"
      aria-labelledby={`${id}-label`}
      aria-describedby={described.join(' ') || undefined}
    >
      <div className="jp-Workflows-optionFieldHead">
        <span className="jp-Workflows-optionFieldLabel" id={`${id}-label`}>
          {label}
        </span>
        {aside}
      </div>
      {children}
      <Below id={id} help={help} messages={messages} />
    </div>
  );
}

function Below({
  id,
  help,
  messages
}: {
  id: string;
  help?: ReactNode;
  messages: readonly IMessage[];
}): ReactElement {
  return (
    <>
      {help && (
        <div className="jp-Workflows-optionFieldHelp" id={`${id}-help`}>
          {help}
        </div>
      )}
      <Messages id={`${id}-messages`} messages={messages} />
    </>
  );
}

/** What is wrong, or worth a look. It is read out when it changes. */
export function Messages({ id, messages }: { id?: string; messages: readonly IMessage[] }): ReactElement {
  return (
    <div id={id} aria-live="polite">
      {messages.map(({ severity, text }) => (
        <p key={text} className={`jp-Workflows-optionMessage jp-mod-${severity}`}>
          {text}
        </p>
      ))}
    </div>
  );
}
