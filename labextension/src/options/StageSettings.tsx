import type { ReactElement } from 'react';

import { renameStage } from '../actions/stages';
import type { StageType } from '../document/types';
import { usePanel } from './context';
import { CopyButton, Section } from './fields/parts';
import { TextField } from './fields/TextField';
import { Messages } from './fields/Field';
import { FormSettings } from './FormSettings';
import { HookSettings } from './HookSettings';
import { JobSettings } from './JobSettings';
import { NotebookField } from './NotebookField';
import { ExecutionSettings, JoinSettings, setFields } from './ExecutionSettings';
import { text } from './subject';

const SHOWN = [
  'title',
  'path',
  'notebook',
  'assignee',
  'due',
  'remind',
  'expires',
  'start',
  'methods',
  'auth',
  'response',
  'response_timeout',
  'route',
  'match',
  'schedule',
  'join',
  'per',
  'collect',
  'retries',
  'timeout',
  'kernel',
  'executor',
  'memory',
  'pool',
  'after_crash',
  'disabled'
];

/** Settings of a stage, or of several. */
export function StageSettings({ type }: { type: StageType | null }): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const paths = new Set(
    Object.entries(editor.document.snapshot.stages)
      .filter(([key]) => !subject.keys.includes(key))
      .map(([, stage]) => stage.path)
  );
  const set = setFields(subject, type);
  return (
    <>
      <Messages messages={subject.otherMessages(SHOWN)} />
      {subject.single && (
        <>
          <TextField
            path="title"
            label={trans.__('Title')}
            read={typed =>
              typed.trim() === '' ? { error: trans.__('A stage needs a title.') } : { value: typed.trim() }
            }
            put={(_, title) => renameStage(editor, subject.keys[0], title as string)}
          />
          <TextField
            path="path"
            label={trans.__('Path')}
            mono
            help={trans.__('The name of the stage in code and addresses.')}
            read={typed => {
              const path = typed.trim();
              if (!/^[a-z0-9-]+$/.test(path)) {
                return { error: trans.__('Use a to z, 0 to 9 and hyphens.') };
              }
              return paths.has(path)
                ? { error: trans.__('Another stage has the path “%1”.', path) }
                : { value: path };
            }}
            buttons={<CopyButton text={text(subject.get('path'))} label={trans.__('Copy the path')} />}
          />
          <NotebookField />
        </>
      )}
      {type === 'form' && <FormSettings />}
      {type === 'hook' && <HookSettings />}
      {type === 'job' && <JobSettings />}
      {type !== 'job' && <JoinSettings />}
      <Section
        name="execution"
        title={trans.__('More')}
        hint={set.length > 0 ? trans._n('%1 set', '%1 set', set.length) : undefined}
      >
        <ExecutionSettings type={type} />
      </Section>
    </>
  );
}
