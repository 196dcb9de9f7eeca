/**
 * Settings of notes, groups, and of the workflow itself.
 */
import type { ReactElement } from 'react';

import { moveToGroup } from '../actions/groups';
import type { IFinding } from '../client/types';
import { useSignalValue } from '../workbench/hooks';
import { usePanel } from './context';
import { CheckField, SelectField } from './fields/choices';
import { FieldGroup, Messages } from './fields/Field';
import { CopyButton } from './fields/parts';
import { TextField } from './fields/TextField';
import { text } from './subject';

function ColorField({ preset }: { preset: string }): ReactElement {
  const { trans } = usePanel().editor;
  return (
    <SelectField
      path="color"
      label={trans.__('Color')}
      preset={preset}
      choices={[
        { value: 'yellow', label: trans.__('Yellow') },
        { value: 'green', label: trans.__('Green') },
        { value: 'blue', label: trans.__('Blue') },
        { value: 'purple', label: trans.__('Purple') },
        { value: 'red', label: trans.__('Red') },
        { value: 'gray', label: trans.__('Gray') }
      ]}
    />
  );
}

export function NoteSettings(): ReactElement {
  const { trans } = usePanel().editor;
  return (
    <>
      <TextField
        path="text"
        label={trans.__('Text')}
        rows={8}
        help={trans.__('Markdown.')}
        read={typed => ({ value: typed })}
      />
      <ColorField preset="yellow" />
    </>
  );
}

export function GroupSettings(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const members = subject.get('stages');
  const stages = Object.entries(editor.document.snapshot.stages).sort(([, a], [, b]) =>
    a.title.localeCompare(b.title)
  );
  return (
    <>
      <TextField path="title" label={trans.__('Title')} />
      <ColorField preset="gray" />
      <CheckField path="collapsed" label={trans.__('Collapsed')} />
      {subject.single && (
        <FieldGroup label={trans.__('Stages')}>
          <ul className="jp-Workflows-optionChecks">
            {stages.map(([key, stage]) => {
              const inside = Array.isArray(members) && members.includes(key);
              return (
                <li key={key}>
                  <label>
                    <input
                      type="checkbox"
                      checked={inside}
                      disabled={editor.readOnly}
                      onChange={() => moveToGroup(editor, [key], inside ? null : subject.keys[0])}
                    />
                    {stage.title || stage.path}
                  </label>
                </li>
              );
            })}
          </ul>
        </FieldGroup>
      )}
    </>
  );
}

export function WorkflowSettings(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const findings = useSignalValue(editor.findings.changed, () => editor.findings.all);
  const failed = useSignalValue(editor.findings.changed, () => editor.findings.failed);
  const uid = text(subject.get('uid'));
  return (
    <>
      <TextField
        path="title"
        label={trans.__('Title')}
        read={typed => ({ value: typed.trim() })}
        help={
          editor.deployed === null
            ? trans.__('Its name in addresses is made of it at the first deployment.')
            : undefined
        }
      />
      <TextField
        path="description"
        label={trans.__('Description')}
        rows={3}
        read={typed => ({ value: typed.trim() || undefined })}
      />
      <TextField
        path="board.fields"
        label={trans.__('Shown on the board')}
        mono
        placeholder="amount, outcome"
        help={trans.__('Keys of the stage data, with commas between them.')}
        show={value => (Array.isArray(value) ? value.map(String).join(', ') : '')}
        read={typed => {
          const fields = typed.split(',').map(field => field.trim());
          const given = [...new Set(fields.filter(field => field !== ''))];
          return { value: given.length === 0 ? undefined : given };
        }}
      />
      <FieldGroup label={trans.__('Identity')}>
        <div className="jp-Workflows-optionCopied">
          <code tabIndex={0}>{uid}</code>
          <CopyButton text={uid} label={trans.__('Copy the identity')} />
        </div>
      </FieldGroup>
      <FieldGroup label={trans.__('Findings')}>
        {failed && (
          <Messages
            messages={[
              { severity: 'warning', text: trans.__('It could not be checked: the server is away.') }
            ]}
          />
        )}
        {findings.length === 0 && !failed && (
          <p className="jp-Workflows-optionFieldHelp">{trans.__('Nothing is wrong.')}</p>
        )}
        <ul className="jp-Workflows-optionFindings">
          {findings.map((finding, i) => (
            <li key={i} className={`jp-mod-${finding.severity}`}>
              <Finding finding={finding} />
            </li>
          ))}
        </ul>
      </FieldGroup>
    </>
  );
}

function Finding({ finding }: { finding: IFinding }): ReactElement {
  const { editor } = usePanel();
  const { trans } = editor;
  const { stages, transitions } = editor.document.snapshot;
  const { stage, transition, severity, message, mend } = finding;
  const item =
    stage !== null && stage in stages
      ? ({ kind: 'stages', key: stage } as const)
      : transition !== null && transition in transitions
        ? ({ kind: 'transitions', key: transition } as const)
        : null;
  const names: Readonly<Record<IFinding['severity'], string>> = {
    error: trans.__('Error'),
    warning: trans.__('Warning'),
    info: trans.__('Hint')
  };
  const words = (
    <>
      <strong>{names[severity]}</strong>
      {item?.kind === 'stages' && (
        <span className="jp-Workflows-optionFindingPlace">{stages[item.key].title}</span>
      )}
      {item?.kind === 'transitions' && (
        <span className="jp-Workflows-optionFindingPlace">
          {stages[transitions[item.key].source]?.title} → {stages[transitions[item.key].target]?.title}
        </span>
      )}
      <span>
        {message} {mend}
      </span>
    </>
  );
  return item === null ? (
    <div>{words}</div>
  ) : (
    <button
      type="button"
      onClick={() => {
        editor.view?.reveal(item);
        editor.showOptions(item, 'settings');
      }}
    >
      {words}
    </button>
  );
}
