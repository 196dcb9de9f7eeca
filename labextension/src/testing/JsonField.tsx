import { useId, useState } from 'react';
import type { ReactElement } from 'react';

import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** A JSON object as text; it is taken over when the field is left, if it is one. */
export function JsonField({
  label,
  value,
  placeholder,
  disabled,
  trans,
  onChange
}: {
  readonly label: string;
  readonly value: ReadonlyJSONObject | undefined;
  readonly placeholder: string;
  readonly disabled: boolean;
  readonly trans: TranslationBundle;
  readonly onChange: (value: ReadonlyJSONObject | undefined) => void;
}): ReactElement {
  const written = value === undefined ? '' : JSON.stringify(value, null, 2);
  const [base, setBase] = useState(written);
  const [text, setText] = useState(written);
  const id = useId();
  if (base !== written) {
    // Somebody else has changed it, or undo has.
    setBase(written);
    setText(written);
  }
  const parsed = parse(text, trans);
  const commit = (): void => {
    if ('value' in parsed && JSON.stringify(parsed.value) !== JSON.stringify(value)) {
      onChange(parsed.value);
    }
  };
  return (
    <div className="jp-Workflows-field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="jp-mod-styled"
        rows={Math.min(12, Math.max(3, text.split('\n').length))}
        value={text}
        placeholder={placeholder}
        spellCheck={false}
        disabled={disabled}
        aria-invalid={'problem' in parsed}
        aria-describedby={'problem' in parsed ? `${id}-problem` : undefined}
        onChange={event => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            commit();
          }
        }}
      />
      {'problem' in parsed && (
        <span id={`${id}-problem`} className="jp-Workflows-fieldProblem" role="alert">
          {parsed.problem}
        </span>
      )}
    </div>
  );
}

function parse(
  text: string,
  trans: TranslationBundle
): { readonly value: ReadonlyJSONObject | undefined } | { readonly problem: string } {
  if (text.trim() === '') {
    return { value: undefined };
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { value: value as ReadonlyJSONObject }
      : { problem: trans.__('It has to be a JSON object, such as {"amount": 12}.') };
  } catch (error) {
    return { problem: trans.__('This is not JSON: %1', (error as Error).message) };
  }
}
