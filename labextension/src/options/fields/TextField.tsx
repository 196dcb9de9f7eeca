import type { ReadonlyJSONValue } from '@lumino/coreutils';
import type { ReactElement, ReactNode } from 'react';

import { usePanel } from '../context';
import { MIXED, text } from '../subject';
import type { IMessage, Shared, Subject } from '../subject';
import { formatDuration, formatSeconds, parseDuration, parseSeconds } from '../values/durations';
import { Combo } from './Combo';
import type { IOption } from './Combo';
import { DraftControl } from './DraftInput';
import type { IInputLook } from './DraftInput';
import { Field } from './Field';
import type { IFrame } from './Field';
import { useDraft } from './draft';
import type { Read } from './draft';

export interface ITextFieldProps extends IFrame, IInputLook {
  /** The field of the document, such as `retries.max`. */
  readonly path: string;
  /** The text of a value; by default the value itself. */
  readonly show?: (value: Shared) => string;
  /** The value of a text; by default the text itself, without spaces around it, or nothing. */
  readonly read?: (text: string) => Read<ReadonlyJSONValue | undefined>;
  /** How a value gets into the document, if not as the field's value. */
  readonly put?: (subject: Subject, value: ReadonlyJSONValue | undefined) => void;
  /** What is offered for completion. */
  readonly options?: readonly IOption[];
  /** Beside the input. */
  readonly buttons?: ReactNode;
}

function readText(typed: string): Read<ReadonlyJSONValue | undefined> {
  return { value: typed.trim() || undefined };
}

/** A field of text. */
export function TextField({
  path,
  show = text,
  read = readText,
  put,
  options,
  buttons,
  label,
  help,
  messages,
  aside,
  className,
  ...look
}: ITextFieldProps): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const value = subject.get(path);
  const draft = useDraft({
    text: value === MIXED ? '' : show(value),
    read,
    commit: wanted => (put === undefined ? subject.set(path, wanted) : put(subject, wanted)),
    multiline: look.rows !== undefined
  });
  const found = [...(messages ?? []), ...subject.messages(path)];
  const said: readonly IMessage[] =
    draft.error !== null ? [{ severity: 'error', text: draft.error }] : draft.dirty ? [] : found;
  const frame = { label, help, messages: said, aside, className };
  const placeholder = value === MIXED ? trans.__('Several values') : look.placeholder;
  return (
    <Field {...frame}>
      {ids => (
        <>
          <div className="jp-Workflows-optionInputRow">
            {options === undefined ? (
              <DraftControl {...ids} draft={draft} look={{ ...look, placeholder }} />
            ) : (
              <Combo {...ids} draft={draft} look={{ ...look, placeholder }} options={options} />
            )}
            {buttons}
          </div>
          {draft.theirs !== null && (
            <p className="jp-Workflows-optionMessage jp-mod-warning" role="status">
              {draft.theirs === ''
                ? trans.__('Somebody else has emptied this field meanwhile.')
                : trans.__('Somebody else has changed this to “%1” meanwhile.', draft.theirs)}{' '}
              <button
                type="button"
                className="jp-Workflows-optionLink"
                onMouseDown={event => event.preventDefault()}
                onClick={draft.restore}
              >
                {trans.__('Take theirs')}
              </button>
            </p>
          )}
        </>
      )}
    </Field>
  );
}

/** A field with a duration: ISO 8601 in the document, or seconds. */
export function DurationField({
  seconds = false,
  ...props
}: Omit<ITextFieldProps, 'show' | 'read'> & { seconds?: boolean }): ReactElement {
  const { trans } = usePanel().editor;
  return (
    <TextField
      {...props}
      show={value =>
        typeof value === 'number'
          ? formatSeconds(value, trans)
          : typeof value === 'string'
            ? formatDuration(value, trans)
            : ''
      }
      read={typed =>
        typed.trim() === ''
          ? { value: undefined }
          : seconds
            ? parseSeconds(typed, trans)
            : parseDuration(typed, trans)
      }
    />
  );
}

/** A field with a number. */
export function NumberField({
  least,
  most,
  whole = false,
  ...props
}: Omit<ITextFieldProps, 'read'> & { least?: number; most?: number; whole?: boolean }): ReactElement {
  const { trans } = usePanel().editor;
  const read = (typed: string): Read<ReadonlyJSONValue | undefined> => {
    if (typed.trim() === '') {
      return { value: undefined };
    }
    const value = Number(typed.trim().replace(',', '.'));
    if (!Number.isFinite(value)) {
      return { error: trans.__('This is not a number.') };
    }
    if (whole && !Number.isInteger(value)) {
      return { error: trans.__('Write a whole number.') };
    }
    if (least !== undefined && value < least) {
      return { error: trans.__('Write %1 at least.', least) };
    }
    return most !== undefined && value > most ? { error: trans.__('Write %1 at most.', most) } : { value };
  };
  return <TextField {...props} read={read} />;
}
