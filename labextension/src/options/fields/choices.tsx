import { HTMLSelect } from '@jupyterlab/ui-components';
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import { useEffect, useId, useRef } from 'react';
import type { ReactElement, ReactNode } from 'react';

import { usePanel } from '../context';
import { MIXED } from '../subject';
import type { IMessage, Shared, Subject } from '../subject';
import { Field, FieldGroup, Messages } from './Field';
import type { IFrame } from './Field';

export interface IChoice {
  readonly value: string;
  readonly label: string;
}

/** A field with one of a few values; the first one is taken where the document has none. */
export function SelectField({
  path,
  choices,
  preset,
  show,
  put,
  disabled,
  messages = [],
  ...frame
}: IFrame & {
  path: string;
  choices: readonly IChoice[];
  /** The value where the document has none; choosing it removes the field. */
  preset: string;
  show?: (value: Shared) => string;
  put?: (subject: Subject, value: string) => void;
  disabled?: boolean;
}): ReactElement {
  const { editor, subject } = usePanel();
  const value = subject.get(path);
  const shown =
    value === MIXED ? '' : show !== undefined ? show(value) : typeof value === 'string' ? value : preset;
  const unknown = shown !== '' && choices.every(choice => choice.value !== shown);
  const said: readonly IMessage[] = [...messages, ...subject.messages(path)];
  return (
    <Field {...frame} messages={said}>
      {ids => (
        <HTMLSelect
          {...ids}
          className="jp-Workflows-optionSelect"
          value={shown}
          disabled={disabled || editor.readOnly}
          onChange={event => {
            const chosen = event.target.value;
            if (put !== undefined) {
              put(subject, chosen);
            } else {
              subject.set(path, chosen === preset ? undefined : chosen);
            }
          }}
        >
          {value === MIXED && (
            <option value="" disabled>
              {editor.trans.__('Several values')}
            </option>
          )}
          {unknown && <option value={shown}>{shown}</option>}
          {choices.map(choice => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </HTMLSelect>
      )}
    </Field>
  );
}

/** A field that is on or off. */
export function CheckField({
  path,
  label,
  help,
  show = value => value === true,
  on = true
}: {
  path: string;
  label: string;
  help?: ReactNode;
  show?: (value: Shared) => boolean;
  /** The value where it is on; it is removed where it is off. */
  on?: ReadonlyJSONValue;
}): ReactElement {
  const { editor, subject } = usePanel();
  const id = useId();
  const value = subject.get(path);
  const mixed = value === MIXED;
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current !== null) {
      box.current.indeterminate = mixed;
    }
  }, [mixed]);
  return (
    <div className="jp-Workflows-optionField jp-mod-check">
      <label htmlFor={id}>
        <input
          ref={box}
          id={id}
          type="checkbox"
          checked={!mixed && show(value)}
          disabled={editor.readOnly}
          aria-describedby={help ? `${id}-help` : undefined}
          onChange={event => subject.set(path, event.target.checked ? on : undefined)}
        />
        {label}
      </label>
      {help && (
        <div className="jp-Workflows-optionFieldHelp" id={`${id}-help`}>
          {help}
        </div>
      )}
      <Messages messages={subject.messages(path)} />
    </div>
  );
}

/** Some of a few values, as buttons that are pressed. */
export function ToggleGroup({
  chosen,
  choices,
  onChange,
  ...frame
}: IFrame & {
  chosen: readonly string[];
  choices: readonly (IChoice & { readonly name?: string })[];
  onChange: (chosen: readonly string[]) => void;
}): ReactElement {
  const { editor } = usePanel();
  return (
    <FieldGroup {...frame}>
      <div className="jp-Workflows-optionToggles">
        {choices.map(({ value, label, name }) => {
          const pressed = chosen.includes(value);
          const next = (): readonly string[] =>
            choices
              .map(choice => choice.value)
              .filter(one => (one === value ? !pressed : chosen.includes(one)));
          return (
            <button
              key={value}
              type="button"
              aria-pressed={pressed}
              aria-label={name}
              disabled={editor.readOnly}
              onClick={() => onChange(next())}
            >
              {label}
            </button>
          );
        })}
      </div>
    </FieldGroup>
  );
}
