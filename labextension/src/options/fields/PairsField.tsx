import { addIcon, closeIcon } from '@jupyterlab/ui-components';
import { useRef, useState } from 'react';
import type { ReactElement } from 'react';

import { usePanel } from '../context';
import { MIXED, object, text } from '../subject';
import { DraftInput } from './DraftInput';
import { FieldGroup } from './Field';
import type { IFrame } from './Field';
import type { Read } from './draft';
import { IconButton } from './parts';

/** A field with an object of texts: one row for each name. */
export function PairsField({
  path,
  names,
  values,
  ...frame
}: IFrame & {
  path: string;
  /** What stands at the left, and an example. */
  names: { readonly label: string; readonly example: string };
  values: { readonly label: string; readonly example: string };
}): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const value = subject.get(path);
  const pairs = Object.entries(object(value));
  const [fresh, setFresh] = useState<{ readonly name: string; readonly value: string } | null>(null);
  const row = useRef<HTMLDivElement>(null);

  const put = (next: readonly (readonly [string, string])[]): void =>
    subject.set(path, next.length === 0 ? undefined : Object.fromEntries(next));
  const all = (): [string, string][] => pairs.map(([name, one]) => [name, text(one)]);
  const read =
    (other: readonly string[]) =>
    (typed: string): Read<string> => {
      const name = typed.trim();
      return name === ''
        ? { error: trans.__('Write a name.') }
        : other.includes(name)
          ? { error: trans.__('There is %1 already.', name) }
          : { value: name };
    };
  const complete = (): void => {
    const name = fresh?.name.trim() ?? '';
    if (fresh !== null && name !== '' && fresh.value.trim() !== '') {
      put([...all().filter(([other]) => other !== name), [name, fresh.value.trim()]]);
      setFresh(null);
    }
  };
  return (
    <FieldGroup {...frame} messages={[...(frame.messages ?? []), ...subject.messages(path)]}>
      {value === MIXED && <p className="jp-Workflows-optionFieldHelp">{trans.__('Several values')}</p>}
      {pairs.map(([name, one], i) => (
        <div key={i} className="jp-Workflows-optionPair">
          <DraftInput
            label={names.label}
            look={{ mono: true }}
            text={name}
            read={read(pairs.map(([other]) => other).filter(other => other !== name))}
            commit={wanted =>
              put(all().map((pair, j): [string, string] => (i === j ? [wanted, pair[1]] : pair)))
            }
          />
          <DraftInput
            label={trans.__('%1 of %2', values.label, name)}
            look={{ mono: true }}
            text={text(one)}
            read={typed => ({ value: typed.trim() })}
            commit={wanted =>
              put(all().map((pair, j): [string, string] => (i === j ? [pair[0], wanted] : pair)))
            }
          />
          <IconButton
            icon={closeIcon}
            label={trans.__('Remove %1', name)}
            disabled={editor.readOnly}
            onClick={() => put(all().filter((_, j) => i !== j))}
          />
        </div>
      ))}
      {fresh !== null && (
        <div
          className="jp-Workflows-optionPair"
          ref={row}
          onBlur={event => {
            if (!row.current?.contains(event.relatedTarget)) {
              complete();
            }
          }}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              complete();
            } else if (event.key === 'Escape') {
              event.stopPropagation();
              setFresh(null);
            }
          }}
        >
          {(['name', 'value'] as const).map(side => (
            <input
              key={side}
              className="jp-Workflows-optionInput jp-mod-mono"
              aria-label={side === 'name' ? names.label : values.label}
              placeholder={side === 'name' ? names.example : values.example}
              spellCheck={false}
              autoFocus={side === 'name'}
              data-lm-suppress-shortcuts="true"
              value={fresh[side]}
              onChange={event => setFresh({ ...fresh, [side]: event.target.value })}
            />
          ))}
          <IconButton icon={closeIcon} label={trans.__('Remove')} onClick={() => setFresh(null)} />
        </div>
      )}
      {fresh === null && !editor.readOnly && value !== MIXED && (
        <button
          type="button"
          className="jp-Workflows-optionAdd"
          onClick={() => setFresh({ name: '', value: '' })}
        >
          <addIcon.react tag="span" width="14px" height="14px" />
          {trans.__('Add')}
        </button>
      )}
    </FieldGroup>
  );
}
