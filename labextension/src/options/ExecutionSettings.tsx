import type { ReactElement } from 'react';

import type { StageType } from '../document/types';
import { usePanel } from './context';
import { CheckField, SelectField } from './fields/choices';
import { PairsField } from './fields/PairsField';
import { DurationField, NumberField, TextField } from './fields/TextField';
import { useKernels } from './server';
import type { Subject } from './subject';

const FIELDS = ['retries', 'timeout', 'kernel', 'executor', 'memory', 'pool', 'after_crash', 'disabled'];

/** The fields below "More" that have a value. */
export function setFields(subject: Subject, type: StageType | null): readonly string[] {
  return [...FIELDS, ...(type === 'form' ? [] : ['start'])].filter(field => subject.get(field) !== undefined);
}

/** How branches come together in a stage. */
export function JoinSettings(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const { transitions } = editor.document.snapshot;
  const arrivals = Object.values(transitions).filter(one => subject.keys.includes(one.target)).length;
  const set = ['join', 'per', 'collect'].some(field => subject.get(field) !== undefined);
  if (arrivals < 2 && !set && subject.single) {
    // One arrow can bring several arrivals: behind an "each".
    const fans = Object.values(transitions).some(one => one.each !== undefined);
    if (!fans || arrivals === 0) {
      return <></>;
    }
  }
  const joins = subject.get('join') !== undefined && subject.get('join') !== 'any';
  const names = Object.values(transitions).flatMap(one =>
    one.each === undefined ? [] : [{ value: one.as ?? 'item', detail: one.each }]
  );
  const items = [...new Map(names.map(name => [name.value, name])).values()];
  return (
    <>
      <SelectField
        path="join"
        label={trans.__('Starts')}
        preset="any"
        choices={[
          { value: 'any', label: trans.__('with each arrival') },
          { value: 'all', label: trans.__('once, when all branches have arrived') },
          { value: 'settled', label: trans.__('once, with what arrived, whatever failed') }
        ]}
      />
      {(joins || set) && (
        <>
          <TextField
            path="per"
            label={trans.__('Joins for each')}
            mono
            options={items}
            placeholder={trans.__('all together')}
            help={trans.__('The name of an item: its branches are joined apart from others.')}
          />
          <PairsField
            path="collect"
            label={trans.__('Collects')}
            help={trans.__('Makes a list of a value of all arrivals.')}
            names={{ label: trans.__('List'), example: 'votes' }}
            values={{ label: trans.__('Value'), example: 'vote' }}
          />
        </>
      )}
    </>
  );
}

/** How a stage is executed. */
export function ExecutionSettings({ type }: { type: StageType | null }): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const kernels = useKernels(editor);
  const pools = [...new Set(Object.values(editor.document.snapshot.stages).map(stage => stage.pool))].flatMap(
    pool => (typeof pool === 'string' ? [{ value: pool }] : [])
  );
  const retries = subject.get('retries.max');
  return (
    <>
      <div className="jp-Workflows-optionFieldRow">
        <NumberField
          path="retries.max"
          label={trans.__('Retries')}
          placeholder="0"
          whole
          least={0}
          help={trans.__('After a failure or a timeout.')}
        />
        <DurationField
          seconds
          path="timeout"
          label={trans.__('Timeout')}
          placeholder={trans.__('none')}
          help={trans.__('Then it is interrupted.')}
        />
      </div>
      {retries !== undefined && (
        <div className="jp-Workflows-optionFieldRow">
          <DurationField
            seconds
            path="retries.delay"
            label={trans.__('First delay')}
            placeholder={trans.__('at once')}
          />
          <NumberField path="retries.backoff" label={trans.__('Delay grows by')} placeholder="1" least={1} />
        </div>
      )}
      <SelectField
        path="kernel"
        label={trans.__('Kernel')}
        preset=""
        choices={[
          { value: '', label: trans.__('the notebook’s') },
          ...kernels.map(kernel => ({ value: kernel.name, label: kernel.title }))
        ]}
      />
      <div className="jp-Workflows-optionFieldRow">
        <TextField
          path="memory"
          label={trans.__('Memory')}
          placeholder={trans.__('no limit')}
          read={typed =>
            typed.trim() === '' || /^\d+(?:\.\d+)?\s*(?:[KMGT](?:i?B)?|B)?$/i.test(typed.trim())
              ? { value: typed.trim() || undefined }
              : { error: trans.__('Write it as 512M or 2G.') }
          }
        />
        <TextField
          path="pool"
          label={trans.__('Pool')}
          placeholder={trans.__('none')}
          options={pools}
          help={trans.__('A named limit of concurrency.')}
        />
      </div>
      <SelectField
        path="after_crash"
        label={trans.__('When its process is lost')}
        preset="retry"
        choices={[
          { value: 'retry', label: trans.__('run it again') },
          { value: 'fail', label: trans.__('fail') }
        ]}
      />
      <TextField path="executor" label={trans.__('Executor')} placeholder={trans.__('the server’s')} />
      {type !== 'form' && type !== null && (
        <CheckField
          path="start"
          label={trans.__('A run can begin here')}
          help={trans.__('Needed only for a stage that others lead to.')}
        />
      )}
      <CheckField
        path="disabled"
        label={trans.__('Disabled')}
        help={trans.__('Passes its data on without running.')}
      />
    </>
  );
}
