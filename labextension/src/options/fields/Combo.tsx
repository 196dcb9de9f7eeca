import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent, ReactElement } from 'react';

import { usePanel } from '../context';
import type { IControlIds } from './Field';
import type { IInputLook } from './DraftInput';
import type { IDraft } from './draft';

/** Something that is offered for completion. */
export interface IOption {
  readonly value: string;
  /** What it is, shown beside it. */
  readonly detail?: string;
}

const MOST = 60;

/** A text input that offers what it can be completed to. */
export function Combo({
  draft,
  look = {},
  options,
  'aria-label': label,
  ...ids
}: {
  draft: IDraft;
  look?: IInputLook;
  options: readonly IOption[];
  'aria-label'?: string;
} & IControlIds): ReactElement {
  const { editor } = usePanel();
  const [open, setOpen] = useState(false);
  const [place, setPlace] = useState(-1);
  const list = useRef<HTMLUListElement>(null);
  const wanted = draft.dirty ? draft.text.trim().toLowerCase() : '';
  const found = options
    .filter(({ value, detail }) => `${value} ${detail ?? ''}`.toLowerCase().includes(wanted))
    .slice(0, MOST);
  const shown = open && found.length > 0 && !editor.readOnly;
  const current = shown ? found[place] : undefined;

  useEffect(() => {
    list.current?.children[place]?.scrollIntoView({ block: 'nearest' });
  }, [place]);

  const close = (): void => {
    setOpen(false);
    setPlace(-1);
  };
  const choose = (option: IOption): void => {
    draft.take(option.value);
    close();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setPlace(shown ? (place + step + found.length) % found.length : step > 0 ? 0 : found.length - 1);
    } else if (event.key === 'Enter' && current !== undefined) {
      event.preventDefault();
      choose(current);
    } else if (event.key === 'Escape' && shown) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else {
      draft.onKeyDown(event);
      if (event.key === 'Enter') {
        close();
      }
    }
  };
  return (
    <div className="jp-Workflows-optionCombo">
      <input
        {...ids}
        aria-label={label}
        aria-invalid={draft.error !== null || ids['aria-invalid'] || undefined}
        className={`jp-Workflows-optionInput ${look.mono ? 'jp-mod-mono' : ''}`}
        type="text"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls={`${ids.id}-list`}
        aria-activedescendant={current === undefined ? undefined : `${ids.id}-${place}`}
        autoComplete="off"
        spellCheck={false}
        placeholder={look.placeholder}
        disabled={look.disabled || editor.readOnly}
        value={draft.text}
        {...(draft.dirty || shown ? { 'data-lm-suppress-shortcuts': 'true' } : {})}
        onChange={event => {
          draft.type(event.target.value);
          setOpen(true);
          setPlace(-1);
        }}
        onClick={() => setOpen(true)}
        onBlur={() => {
          close();
          draft.commit();
        }}
        onKeyDown={onKeyDown}
      />
      <ul
        ref={list}
        id={`${ids.id}-list`}
        className="jp-Workflows-optionComboList"
        role="listbox"
        aria-label={editor.trans.__('Suggestions')}
        hidden={!shown}
      >
        {shown &&
          found.map((option, i) => (
            <li
              key={option.value}
              id={`${ids.id}-${i}`}
              role="option"
              aria-selected={i === place}
              // The input keeps the keyboard.
              onMouseDown={event => event.preventDefault()}
              onClick={() => choose(option)}
            >
              <span>{option.value}</span>
              {option.detail && <small>{option.detail}</small>}
            </li>
          ))}
      </ul>
    </div>
  );
}
