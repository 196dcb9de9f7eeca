import { closeIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject, ReadonlyJSONValue } from '@lumino/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'react';
import type { ReactElement } from 'react';

type Row = readonly [string, string];

/** Answers of a form, field by field. Until forms can be tried out live, they are given here. */
export function AnswersField({
  value,
  disabled,
  trans,
  onChange
}: {
  readonly value: ReadonlyJSONObject;
  readonly disabled: boolean;
  readonly trans: TranslationBundle;
  readonly onChange: (value: ReadonlyJSONObject | undefined) => void;
}): ReactElement {
  const written = JSON.stringify(value);
  const [base, setBase] = useState(written);
  const [rows, setRows] = useState<readonly Row[]>(() => rowsOf(value));
  if (base !== written) {
    setBase(written);
    setRows(rowsOf(value));
  }
  const commit = (now = rows): void => {
    const answers = Object.fromEntries(
      now.filter(([key]) => key !== '').map(([key, text]) => [key, read(text)])
    );
    if (JSON.stringify(answers) !== written) {
      onChange(Object.keys(answers).length === 0 ? undefined : answers);
    }
  };
  const set = (index: number, row: Row): void =>
    setRows(rows.map((one, place) => (place === index ? row : one)));
  return (
    <fieldset className="jp-Workflows-answers" disabled={disabled}>
      <legend>{trans.__('Answers')}</legend>
      <p className="jp-Workflows-hint">
        {trans.__('By the label of the field. Text, or JSON for numbers, lists and true or false.')}
      </p>
      {rows.map(([key, text], index) => (
        <div key={index} className="jp-Workflows-answer">
          <input
            className="jp-mod-styled"
            aria-label={trans.__('Field %1', index + 1)}
            placeholder={trans.__('Field')}
            value={key}
            onChange={event => set(index, [event.target.value, text])}
            onBlur={() => commit()}
          />
          <input
            className="jp-mod-styled"
            aria-label={trans.__('Answer to %1', key || index + 1)}
            placeholder={trans.__('Answer')}
            value={text}
            onChange={event => set(index, [key, event.target.value])}
            onBlur={() => commit()}
          />
          <button
            type="button"
            aria-label={trans.__('Remove the answer to %1', key || index + 1)}
            onClick={() => {
              const now = rows.filter((_, place) => place !== index);
              setRows(now);
              commit(now);
            }}
          >
            <closeIcon.react tag="span" width="14px" height="14px" />
          </button>
        </div>
      ))}
      <button type="button" className="jp-Workflows-textButton" onClick={() => setRows([...rows, ['', '']])}>
        {trans.__('Add an answer')}
      </button>
    </fieldset>
  );
}

function rowsOf(value: ReadonlyJSONObject): readonly Row[] {
  const rows = Object.entries(value).map(([key, one]): Row => [key, show(one)]);
  return rows.length === 0 ? [['', '']] : rows;
}

/** What reads like JSON and is no text is meant so. */
function read(text: string): ReadonlyJSONValue {
  try {
    return JSON.parse(text) as ReadonlyJSONValue;
  } catch {
    return text;
  }
}

function show(value: ReadonlyJSONValue | undefined): string {
  // Text that would be read as something else is shown in quotes.
  return typeof value === 'string' && read(value) === value ? value : JSON.stringify(value);
}
