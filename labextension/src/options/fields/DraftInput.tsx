import type { ReactElement } from 'react';

import { usePanel } from '../context';
import type { IControlIds } from './Field';
import { useDraft } from './draft';
import type { IDraft, IDraftOptions } from './draft';

/** How a draft is typed, beside what it says. */
export interface IInputLook {
  readonly placeholder?: string;
  readonly mono?: boolean;
  readonly rows?: number;
  readonly type?: 'text' | 'number' | 'time' | 'color';
  readonly min?: number;
  readonly max?: number;
  readonly disabled?: boolean;
}

/** Whether a key press is a wish to save the file. */
function saves(event: { ctrlKey: boolean; metaKey: boolean; shiftKey: boolean; key: string }): boolean {
  return (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 's';
}

/** A text input, or a text area if it has rows, for a draft. */
export function DraftControl({
  draft,
  look = {},
  ...ids
}: { draft: IDraft; look?: IInputLook } & Partial<IControlIds> & { 'aria-label'?: string }): ReactElement {
  const { editor } = usePanel();
  const { rows, mono, type = 'text', ...rest } = look;
  const shared = {
    ...ids,
    'aria-invalid': draft.error !== null || ids['aria-invalid'] || undefined,
    className: `jp-Workflows-optionInput ${mono ? 'jp-mod-mono' : ''}`,
    value: draft.text,
    spellCheck: false,
    autoComplete: 'off',
    // While something is typed, keys such as Ctrl+Z are about the text.
    ...(draft.dirty ? { 'data-lm-suppress-shortcuts': 'true' } : {}),
    onBlur: draft.commit,
    onKeyDown: (event: React.KeyboardEvent): void => {
      draft.onKeyDown(event);
      if (draft.dirty && saves(event)) {
        event.preventDefault();
        draft.commit();
        void editor.commands.execute('docmanager:save');
      }
    },
    ...rest,
    disabled: rest.disabled || editor.readOnly
  };
  return rows === undefined ? (
    <input {...shared} type={type} onChange={event => draft.type(event.target.value)} />
  ) : (
    <textarea {...shared} rows={rows} onChange={event => draft.type(event.target.value)} />
  );
}

/** An input without a field around it, such as in a table. */
export function DraftInput<T>({
  label,
  look,
  ...options
}: IDraftOptions<T> & { label: string; look?: IInputLook }): ReactElement {
  return <DraftControl draft={useDraft(options)} look={look} aria-label={label} />;
}
