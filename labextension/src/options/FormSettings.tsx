import type { ReactElement } from 'react';

import { usePanel } from './context';
import { SelectField } from './fields/choices';
import type { IOption } from './fields/Combo';
import { DurationField, TextField } from './fields/TextField';
import { useMe } from './server';
import { object } from './subject';
import type { Shared } from './subject';
import { namesInDocument } from './values/names';

/** Settings of a form. */
export function FormSettings(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const start = subject.get('start');
  return (
    <>
      <AssigneeField />
      <div className="jp-Workflows-optionFieldRow">
        <DurationField path="due" label={trans.__('Due after')} placeholder={trans.__('3 days')} />
        <DurationField path="remind" label={trans.__('Remind every')} placeholder={trans.__('1 day')} />
        <DurationField path="expires" label={trans.__('Fails after')} placeholder={trans.__('never')} />
      </div>
      <SelectField
        path="start"
        label={trans.__('Who may start it')}
        preset=""
        show={value => (value === true ? 'true' : typeof value === 'string' ? value : '')}
        put={(it, chosen) => it.set('start', chosen === 'true' ? true : chosen || undefined)}
        choices={[
          { value: '', label: trans.__('whoever may run the workflow') },
          ...(start === true
            ? [{ value: 'true', label: trans.__('whoever may run it; a run begins here') }]
            : []),
          { value: 'members', label: trans.__('members of the workflow') },
          { value: 'anyone-signed-in', label: trans.__('anyone who is signed in') }
        ]}
      />
    </>
  );
}

function words(value: Shared): string {
  const { from } = object(value);
  return typeof from === 'string' ? `data:${from}` : typeof value === 'string' ? value : '';
}

function AssigneeField(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const user = useMe(editor);
  const { snapshot } = editor.document;
  const options = new Map<string, IOption>();
  const offer = (value: string, detail: string): void => {
    if (value !== '' && !options.has(value)) {
      options.set(value, { value, detail });
    }
  };
  offer(user, trans.__('you'));
  for (const stage of Object.values(snapshot.stages)) {
    const name = words(stage.assignee);
    offer(
      name,
      name.startsWith('team:')
        ? trans.__('team')
        : name.startsWith('data:')
          ? trans.__('stage data')
          : trans.__('person')
    );
  }
  for (const key of subject.keys) {
    for (const { name } of namesInDocument(snapshot, key)) {
      offer(`data:${name}`, trans.__('stage data'));
    }
  }
  return (
    <TextField
      path="assignee"
      label={trans.__('Assignee')}
      placeholder={trans.__('who started the run')}
      options={[...options.values()]}
      help={trans.__('A user name or e-mail address, team:NAME, or data:KEY for a key of the stage data.')}
      show={words}
      read={typed => {
        const name = typed.trim();
        if (name === 'team:' || name === 'data:') {
          return { error: trans.__('Write a name after the colon.') };
        }
        return {
          value: name.startsWith('data:') ? { from: name.slice(5).trim() } : name || undefined
        };
      }}
    />
  );
}
