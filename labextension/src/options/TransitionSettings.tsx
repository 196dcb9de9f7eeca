import { useMemo } from 'react';
import type { ReactElement } from 'react';

import { canConnect, reconnect } from '../actions/transitions';
import type { ITransition } from '../document/types';
import { ConditionField } from './ConditionField';
import { usePanel } from './context';
import { CheckField, SelectField } from './fields/choices';
import { Field, Messages } from './fields/Field';
import { Section } from './fields/parts';
import { NumberField, TextField } from './fields/TextField';
import { useNotebookNames, useRunData } from './server';
import { joined, namesInDocument, upstream } from './values/names';
import type { IKnownName } from './values/names';
import { HTMLSelect } from '@jupyterlab/ui-components';

const SHOWN = ['source', 'target', 'on', 'condition', 'else', 'each', 'as', 'order', 'label'];
const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** The names of stage data that are known where a transition leaves a stage. */
function useNames(source: string | null): readonly IKnownName[] {
  const { editor } = usePanel();
  const { snapshot } = editor.document;
  const stages = source === null ? [] : [...upstream(snapshot, source)];
  const notebooks = stages.flatMap(key => (key in snapshot.stages ? [snapshot.stages[key].notebook] : []));
  const written = useNotebookNames(editor, [...new Set(notebooks)].sort());
  const data = useRunData(editor, source);
  return useMemo(
    () =>
      joined(
        Object.entries(data).flatMap(([name, example]) => (NAME.test(name) ? [{ name, example }] : [])),
        source === null ? [] : namesInDocument(snapshot, source),
        written.map(name => ({ name }))
      ),
    [data, snapshot, source, written]
  );
}

/** Settings of a transition, or of several. */
export function TransitionSettings(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const source = subject.get('source');
  const names = useNames(typeof source === 'string' ? source : null);
  const readName = (typed: string): { value: string | undefined } | { error: string } => {
    const name = typed.trim();
    return name === '' || NAME.test(name)
      ? { value: name || undefined }
      : { error: trans.__('Use letters, digits and underscores.') };
  };
  const each = subject.get('each');
  const lists = names.filter(one => one.example === undefined || Array.isArray(one.example));
  return (
    <>
      <Messages messages={subject.otherMessages(SHOWN)} />
      {subject.single && (
        <div className="jp-Workflows-optionFieldRow">
          <EndField end="source" label={trans.__('From')} />
          <EndField end="target" label={trans.__('To')} />
        </div>
      )}
      <SelectField
        path="on"
        label={trans.__('Fires when the stage')}
        preset="completed"
        choices={[
          { value: 'completed', label: trans.__('is completed') },
          { value: 'failed', label: trans.__('has failed') }
        ]}
      />
      <ConditionField names={names} />
      <CheckField
        path="else"
        label={trans.__('Else')}
        help={trans.__('Fires when no condition of the same stage did.')}
      />
      <TextField path="label" label={trans.__('Label')} placeholder={trans.__('shown on the arrow')} />
      <Section
        name="transition"
        title={trans.__('More')}
        open={each !== undefined || subject.messages('each').length + subject.messages('as').length > 0}
        hint={each === undefined ? undefined : trans.__('fans out')}
      >
        <div className="jp-Workflows-optionFieldRow">
          <TextField
            path="each"
            label={trans.__('Once for each of')}
            mono
            placeholder="lines"
            options={lists.map(({ name }) => ({ value: name }))}
            help={trans.__('A list in the stage data.')}
            read={readName}
          />
          <TextField path="as" label={trans.__('The item is')} mono placeholder="item" read={readName} />
        </div>
        <NumberField
          path="order"
          label={trans.__('Order')}
          placeholder="0"
          help={trans.__('The place of this branch among those of the same stage.')}
        />
      </Section>
    </>
  );
}

/** The stage at an end of a transition. */
function EndField({ end, label }: { end: 'source' | 'target'; label: string }): ReactElement {
  const { editor, subject } = usePanel();
  const { snapshot } = editor.document;
  const [key] = subject.keys;
  const transition = snapshot.transitions[key] as ITransition | undefined;
  const current = transition?.[end] ?? '';
  const possible = (stage: string): boolean =>
    transition !== undefined &&
    canConnect(
      snapshot,
      end === 'source' ? stage : transition.source,
      end === 'target' ? stage : transition.target,
      editor.trans,
      { on: transition.on, except: key }
    ) === null;
  const stages = Object.entries(snapshot.stages).sort(([, a], [, b]) => a.title.localeCompare(b.title));
  return (
    <Field label={label} messages={subject.messages(end)}>
      {ids => (
        <HTMLSelect
          {...ids}
          className="jp-Workflows-optionSelect"
          value={current}
          disabled={editor.readOnly}
          onChange={event => reconnect(editor, key, { [end]: event.target.value })}
        >
          {!(current in snapshot.stages) && <option value={current}>{editor.trans.__('(no stage)')}</option>}
          {stages.map(([stage, { title, path }]) => (
            <option key={stage} value={stage} disabled={stage !== current && !possible(stage)}>
              {title || path}
            </option>
          ))}
        </HTMLSelect>
      )}
    </Field>
  );
}
