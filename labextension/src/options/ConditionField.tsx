import { HTMLSelect, addIcon, closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';
import type { ReactElement } from 'react';

import { usePanel } from './context';
import { Combo } from './fields/Combo';
import { DraftControl } from './fields/DraftInput';
import { useDraft } from './fields/draft';
import { FieldGroup } from './fields/Field';
import { IconButton } from './fields/parts';
import { checkCondition } from './server';
import { MIXED, text } from './subject';
import type { IMessage } from './subject';
import {
  OPERATORS,
  fieldOf,
  incomplete,
  isNumber,
  literal,
  namesIn,
  readList,
  takesValue,
  toExpression,
  toRows,
  writeList,
  writeLiteral
} from './values/conditions';
import type { IRow, IRows, Operator, Value, ValueKind } from './values/conditions';
import type { IKnownName } from './values/names';

/** The condition of a transition, as rows and as text. */
export function ConditionField({ names }: { names: readonly IKnownName[] }): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const value = subject.get('condition');
  const condition = value === MIXED ? '' : text(value);
  // Rows that say nothing yet are not in the document.
  const [draft, setDraft] = useState<{ readonly rows: IRows; readonly base: string } | null>(null);
  const rows = draft !== null && draft.base === condition ? draft.rows : toRows(condition);
  const [asText, setAsText] = useState(false);

  const put = (next: IRows): void => {
    if (next.rows.every(row => incomplete(row) === null)) {
      const expression = next.rows.length === 0 ? undefined : toExpression(next);
      setDraft(null);
      subject.set('condition', expression);
    } else {
      setDraft({ rows: next, base: condition });
    }
  };
  const typed = asText || rows === null || value === MIXED;
  return (
    <FieldGroup
      label={trans.__('Condition')}
      aside={
        rows !== null &&
        value !== MIXED && (
          <button type="button" className="jp-Workflows-optionLink" onClick={() => setAsText(!asText)}>
            {asText ? trans.__('As rows') : trans.__('As text')}
          </button>
        )
      }
      help={
        rows === null && condition !== ''
          ? trans.__('This expression can be edited as text only.')
          : !typed && rows?.rows.length === 0
            ? trans.__('Without one it always fires.')
            : undefined
      }
      messages={typed ? [] : subject.messages('condition')}
    >
      {typed ? <ConditionText names={names} /> : <Rows rows={rows} names={names} put={put} />}
    </FieldGroup>
  );
}

/** The expression itself, checked as one types. */
function ConditionText({ names }: { names: readonly IKnownName[] }): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const id = useId();
  const value = subject.get('condition');
  const draft = useDraft({
    text: value === MIXED ? '' : text(value),
    // What is wrong with it is told; it is kept all the same.
    read: typed => ({ value: typed.trim() || undefined }),
    commit: condition => subject.set('condition', condition)
  });
  const said = useCheck(draft.text, draft.dirty);
  const messages: readonly IMessage[] = draft.dirty ? said : subject.messages('condition');
  const unknown = messages.length === 0 ? unknownNames(draft.text, names) : [];
  return (
    <>
      <DraftControl
        id={id}
        aria-label={trans.__('Expression')}
        aria-describedby={`${id}-said`}
        aria-invalid={messages.length > 0 || undefined}
        draft={draft}
        look={{
          mono: true,
          rows: 2,
          placeholder: value === MIXED ? trans.__('Several values') : 'amount > 100 and not approved'
        }}
      />
      <div id={`${id}-said`} aria-live="polite">
        {messages.map(one => (
          <p key={one.text} className={`jp-Workflows-optionMessage jp-mod-${one.severity}`}>
            {one.text}
          </p>
        ))}
        {unknown.length > 0 && (
          <p className="jp-Workflows-optionMessage jp-mod-info">
            {trans.__('Not seen in the stage data so far: %1.', unknown.join(', '))}
          </p>
        )}
        {draft.theirs !== null && (
          <p className="jp-Workflows-optionMessage jp-mod-warning" role="status">
            {trans.__('Somebody else has changed this to “%1” meanwhile.', draft.theirs)}{' '}
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
      </div>
    </>
  );
}

const QUIET = 250;

/** What the server says of an expression while it is typed. */
function useCheck(expression: string, active: boolean): readonly IMessage[] {
  const { editor } = usePanel();
  const [said, setSaid] = useState<{ readonly expression: string; readonly error: string | null } | null>(
    null
  );
  useEffect(() => {
    if (!active || expression.trim() === '') {
      return undefined;
    }
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      checkCondition(editor, expression, abort.signal).then(
        error => setSaid({ expression, error }),
        () => undefined
      );
    }, QUIET);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [editor, expression, active]);
  return said !== null && said.error !== null && said.expression === expression
    ? [{ severity: 'error', text: said.error }]
    : [];
}

function unknownNames(expression: string, names: readonly IKnownName[]): readonly string[] {
  const known = new Set(names.map(one => one.name));
  return known.size === 0 ? [] : namesIn(expression).filter(name => !known.has(name));
}

function Rows({
  rows: { rows, joins },
  names,
  put
}: {
  rows: IRows;
  names: readonly IKnownName[];
  put: (rows: IRows) => void;
}): ReactElement {
  const { editor } = usePanel();
  const { trans } = editor;
  const change = (i: number, row: IRow): void =>
    put({ rows: rows.map((one, j) => (i === j ? row : one)), joins });
  const remove = (i: number): void =>
    put({
      rows: rows.filter((_, j) => i !== j),
      joins: joins.filter((_, j) => j !== Math.max(0, i - 1))
    });
  return (
    <div className="jp-Workflows-rows">
      {rows.map((row, i) => (
        <div
          key={i}
          className="jp-Workflows-conditionRow"
          role="group"
          aria-label={trans.__('Condition %1', i + 1)}
        >
          {i > 0 && (
            <HTMLSelect
              className="jp-Workflows-optionSelect jp-Workflows-join"
              aria-label={trans.__('Joined by')}
              value={joins[i - 1]}
              disabled={editor.readOnly}
              onChange={event =>
                put({
                  rows,
                  joins: joins.map((one, j) => (j === i - 1 ? (event.target.value as 'and') : one))
                })
              }
            >
              <option value="and">{trans.__('and')}</option>
              <option value="or">{trans.__('or')}</option>
            </HTMLSelect>
          )}
          <RowFields row={row} names={names} change={next => change(i, next)} />
          <IconButton
            icon={closeIcon}
            label={trans.__('Remove this condition')}
            disabled={editor.readOnly}
            onClick={() => remove(i)}
          />
        </div>
      ))}
      {!editor.readOnly && (
        <button
          type="button"
          className="jp-Workflows-optionAdd"
          onClick={() =>
            put({
              rows: [...rows, { field: '', operator: '==', value: { kind: 'text', text: '' } }],
              joins: rows.length === 0 ? [] : [...joins, joins.at(-1) ?? 'and']
            })
          }
        >
          <addIcon.react tag="span" width="14px" height="14px" />
          {trans.__('Add a condition')}
        </button>
      )}
    </div>
  );
}

function RowFields({
  row,
  names,
  change
}: {
  row: IRow;
  names: readonly IKnownName[];
  change: (row: IRow) => void;
}): ReactElement {
  const { editor } = usePanel();
  const { trans } = editor;
  const id = useId();
  const field = useDraft<string>({
    text: row.field,
    read: typed => {
      const wanted = typed.trim() === '' ? '' : fieldOf(typed.trim());
      return wanted === null
        ? { error: trans.__('Write a name such as amount, or order.total.') }
        : { value: wanted };
    },
    commit: wanted => change(fitting(row, wanted, names))
  });
  const offered = names.map(({ name, example }) => ({ value: name, detail: exampleText(example) }));
  const operators = operatorNames(trans);
  return (
    <>
      <div className="jp-Workflows-rowField">
        <Combo
          id={id}
          aria-label={trans.__('Field')}
          aria-describedby={field.error === null ? undefined : `${id}-error`}
          draft={field}
          options={offered}
          look={{ mono: true, placeholder: trans.__('field') }}
        />
        {field.error !== null && (
          <p id={`${id}-error`} className="jp-Workflows-optionMessage jp-mod-error">
            {field.error}
          </p>
        )}
      </div>
      <HTMLSelect
        className="jp-Workflows-optionSelect jp-Workflows-operator"
        aria-label={trans.__('Operator')}
        value={row.operator}
        disabled={editor.readOnly}
        onChange={event => change(withOperator(row, event.target.value as Operator))}
      >
        {OPERATORS.map(operator => (
          <option key={operator} value={operator}>
            {operators[operator]}
          </option>
        ))}
      </HTMLSelect>
      {takesValue(row.operator) && row.value !== null && (
        <ValueFields
          value={row.value}
          kinds={kindsOf(row.operator)}
          names={names}
          change={value => change({ ...row, value })}
        />
      )}
    </>
  );
}

function ValueFields({
  value,
  kinds,
  names,
  change
}: {
  value: Value;
  kinds: readonly ValueKind[];
  names: readonly IKnownName[];
  change: (value: Value) => void;
}): ReactElement {
  const { editor } = usePanel();
  const { trans } = editor;
  const id = useId();
  const draft = useDraft({
    text: valueText(value),
    read: typed => {
      const read = readValue(value.kind, typed);
      return read === null
        ? { error: value.kind === 'number' ? trans.__('This is not a number.') : trans.__('Write a name.') }
        : { value: read };
    },
    commit: change
  });
  const label = trans.__('Value');
  const words: Readonly<Record<ValueKind, string>> = {
    text: trans.__('text'),
    number: trans.__('number'),
    truth: trans.__('true or false'),
    nothing: trans.__('nothing'),
    field: trans.__('field'),
    list: trans.__('list')
  };
  return (
    <>
      <HTMLSelect
        className="jp-Workflows-optionSelect jp-Workflows-kind"
        aria-label={trans.__('Kind of value')}
        value={value.kind}
        disabled={editor.readOnly}
        onChange={event => change(turned(value, event.target.value as ValueKind))}
      >
        {kinds.map(kind => (
          <option key={kind} value={kind}>
            {words[kind]}
          </option>
        ))}
      </HTMLSelect>
      <div className="jp-Workflows-rowValue">
        {value.kind === 'truth' ? (
          <HTMLSelect
            className="jp-Workflows-optionSelect"
            aria-label={label}
            value={String(value.value)}
            disabled={editor.readOnly}
            onChange={event => change({ kind: 'truth', value: event.target.value === 'true' })}
          >
            <option value="true">{trans.__('true')}</option>
            <option value="false">{trans.__('false')}</option>
          </HTMLSelect>
        ) : value.kind === 'field' ? (
          <Combo
            id={id}
            aria-label={label}
            draft={draft}
            options={names.map(({ name, example }) => ({ value: name, detail: exampleText(example) }))}
            look={{ mono: true, placeholder: trans.__('field') }}
          />
        ) : (
          value.kind !== 'nothing' && (
            <DraftControl
              aria-label={label}
              draft={draft}
              look={{
                placeholder: value.kind === 'list' ? 'EUR, USD' : value.kind === 'number' ? '100' : ''
              }}
            />
          )
        )}
        {draft.error !== null && <p className="jp-Workflows-optionMessage jp-mod-error">{draft.error}</p>}
      </div>
    </>
  );
}

function operatorNames(trans: TranslationBundle): Readonly<Record<Operator, string>> {
  return {
    '==': trans.__('is'),
    '!=': trans.__('is not'),
    '>': trans.__('is more than'),
    '>=': trans.__('is at least'),
    '<': trans.__('is less than'),
    '<=': trans.__('is at most'),
    'one-of': trans.__('is one of'),
    'not-one-of': trans.__('is none of'),
    contains: trans.__('contains'),
    'contains-not': trans.__('does not contain'),
    starts: trans.__('begins with'),
    true: trans.__('is true'),
    false: trans.__('is false')
  };
}

/** The kinds of values that an operator takes, the most likely first. */
function kindsOf(operator: Operator): readonly ValueKind[] {
  switch (operator) {
    case 'one-of':
    case 'not-one-of':
      return ['list', 'field'];
    case 'contains':
    case 'contains-not':
      return ['text', 'number', 'truth', 'nothing'];
    case 'starts':
      return ['text', 'field'];
    case '==':
    case '!=':
      return ['text', 'number', 'truth', 'field', 'nothing'];
    default:
      return ['number', 'text', 'field'];
  }
}

function withOperator(row: IRow, operator: Operator): IRow {
  if (!takesValue(operator)) {
    return { ...row, operator, value: null };
  }
  const kinds = kindsOf(operator);
  const value = row.value ?? emptyValue(kinds[0]);
  return { ...row, operator, value: kinds.includes(value.kind) ? value : turned(value, kinds[0]) };
}

/** Return a row with another field, and a value of the kind that the field has. */
function fitting(row: IRow, field: string, names: readonly IKnownName[]): IRow {
  const example = names.find(one => one.name === field)?.example;
  const untouched =
    row.field === '' && row.operator === '==' && row.value?.kind === 'text' && row.value.text === '';
  if (untouched && typeof example === 'number') {
    return { field, operator: '>', value: emptyValue('number') };
  }
  if (untouched && typeof example === 'boolean') {
    return { field, operator: 'true', value: null };
  }
  return { ...row, field };
}

function emptyValue(kind: ValueKind): Value {
  return turned({ kind: 'text', text: '' }, kind);
}

/** Return the value of another kind that is nearest. */
function turned(value: Value, kind: ValueKind): Value {
  const typed = valueText(value);
  switch (kind) {
    case 'text':
      return { kind, text: typed };
    case 'number':
      return { kind, text: isNumber(typed) ? typed : '' };
    case 'truth':
      return { kind, value: true };
    case 'nothing':
      return { kind };
    case 'field':
      return { kind, field: fieldOf(typed) ?? '' };
    case 'list':
      return { kind, items: typed.trim() === '' ? [] : [literal(typed)] };
  }
}

function valueText(value: Value): string {
  switch (value.kind) {
    case 'text':
    case 'number':
      return value.text;
    case 'field':
      return value.field;
    case 'list':
      return writeList(value.items);
    case 'truth':
      return writeLiteral(value);
    case 'nothing':
      return '';
  }
}

function readValue(kind: ValueKind, typed: string): Value | null {
  const plain = typed.trim();
  switch (kind) {
    case 'number':
      return plain === '' || isNumber(plain) ? { kind, text: plain } : null;
    case 'field': {
      const field = plain === '' ? '' : fieldOf(plain);
      return field === null ? null : { kind, field };
    }
    case 'list':
      return { kind, items: readList(typed) };
    default:
      return { kind: 'text', text: typed };
  }
}

function exampleText(example: unknown): string | undefined {
  if (example === undefined) {
    return undefined;
  }
  const text = JSON.stringify(example) ?? '';
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
