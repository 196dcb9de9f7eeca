/**
 * Deploying from the screen, step by step. Loaded when somebody does it for the first time.
 */
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { URLExt } from '@jupyterlab/coreutils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { ProblemError } from '../client/problems';
import type {
  ICheckAnswer,
  IComparison,
  IDeployed,
  IDifference,
  IFinding,
  IRequirements
} from '../client/types';
import type { WorkflowEditor } from '../editor/editor';
import { CopyButton } from './CopyButton';
import { tell, titleOf, wordsOf } from './opening';
import { saveAll } from './saving';

class Body<T> extends ReactWidget implements Dialog.IBodyWidget<T> {
  constructor(
    private readonly _content: ReactElement,
    private readonly _value: (node: HTMLElement) => T
  ) {
    super();
    this.addClass('jp-Workflows-dialog');
  }

  getValue(): T {
    return this._value(this.node);
  }

  protected render(): ReactElement {
    return this._content;
  }
}

function fieldOf(node: HTMLElement, name: string): string {
  return node.querySelector<HTMLInputElement>(`[name="${name}"]`)?.value.trim() ?? '';
}

/** Save, check, ask, and deploy; returns what is live then, or `null` if nothing was deployed. */
export async function deploy(app: JupyterFrontEnd, editor: WorkflowEditor): Promise<IDeployed | null> {
  const { client, trans } = editor;
  try {
    if (editor.document.problem !== null) {
      throw new Error(trans.__('The file cannot be read.'));
    }
    await saveAll(app.shell, editor);
    if (!(await isSound(editor))) {
      return null;
    }
    if (!(await hasRequirements(app, editor))) {
      return null;
    }
    const comparison = await client.post<IComparison>(['projects', 'compare'], { path: editor.path });
    const wanted = await confirm(editor, comparison);
    if (wanted === null) {
      return null;
    }
    const deployed = await send(editor, wanted);
    if (deployed !== null) {
      editor.deployment.refresh();
      await report(editor, deployed);
    }
    return deployed;
  } catch (error) {
    tell(trans.__('The workflow was not deployed.'), error);
    return null;
  }
}

/** Check what was saved; show errors, which forbid it. */
async function isSound(editor: WorkflowEditor): Promise<boolean> {
  const { findings } = await editor.client.post<ICheckAnswer>(['check'], { path: editor.path });
  const errors = findings.filter(finding => finding.severity === 'error');
  if (errors.length > 0) {
    await refuse(editor, errors);
    return false;
  }
  return true;
}

async function refuse(editor: WorkflowEditor, errors: readonly IFinding[]): Promise<void> {
  const { trans } = editor;
  const { stages } = editor.document.snapshot;
  const first = errors.find(finding => finding.stage !== null && finding.stage in stages);
  const answer = await showDialog({
    title: trans.__('It cannot be deployed yet'),
    body: new Body(
      <ul className="jp-Workflows-dialogFindings">
        {errors.map((finding, i) => (
          <li key={i}>
            {finding.stage !== null && <strong>{stages[finding.stage]?.title ?? ''} </strong>}
            {finding.message} <span className="jp-Workflows-dialogMend">{finding.mend}</span>
          </li>
        ))}
      </ul>,
      () => null
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      ...(first === undefined ? [] : [Dialog.okButton({ label: trans.__('Show the Stage') })])
    ]
  });
  if (answer.button.accept && first?.stage != null) {
    const item = { kind: 'stages', key: first.stage } as const;
    editor.view?.reveal(item);
    editor.showOptions(item);
  }
}

/** Demand a requirements.txt; offer to write it by what notebooks import. */
async function hasRequirements(app: JupyterFrontEnd, editor: WorkflowEditor): Promise<boolean> {
  const { client, trans } = editor;
  const found = await client.get<IRequirements>(['projects', 'requirements'], { path: editor.path });
  if (found.exists && found.missing.length === 0) {
    return true;
  }
  const answer = await showDialog<string>({
    title: found.exists
      ? trans.__('Packages are missing from requirements.txt')
      : trans.__('The project needs a requirements.txt'),
    body: new Body<string>(
      <>
        <p>
          {found.exists
            ? trans.__('Notebooks import what it does not name: %1.', found.missing.join(', '))
            : trans.__('It says which packages the notebooks need. This is what they import:')}
        </p>
        <label className="jp-Workflows-field">
          <span>requirements.txt</span>
          <textarea name="requirements" rows={6} defaultValue={found.text} spellCheck={false} />
        </label>
      </>,
      node => node.querySelector('textarea')?.value ?? ''
    ),
    buttons: [
      Dialog.cancelButton(),
      ...(found.exists ? [Dialog.createButton({ label: trans.__('Leave It'), actions: ['leave'] })] : []),
      Dialog.okButton({ label: trans.__('Write It') })
    ]
  });
  if (answer.button.actions.includes('leave')) {
    return true;
  }
  if (!answer.button.accept || answer.value === null) {
    return false;
  }
  await app.serviceManager.contents.save(found.path, {
    type: 'file',
    format: 'text',
    content: answer.value
  });
  editor.findings.refresh();
  return true;
}

interface IWanted {
  readonly note: string | null;
  readonly owner_address: string | null;
}

async function confirm(editor: WorkflowEditor, comparison: IComparison): Promise<IWanted | null> {
  const { trans } = editor;
  const { workflow } = comparison;
  const next = (workflow?.last_version ?? 0) + 1;
  const answer = await showDialog<IWanted>({
    title: trans.__('Deploy “%1” as version %2', titleOf(editor), next),
    body: new Body<IWanted>(
      <>
        <Summary editor={editor} comparison={comparison} />
        <label className="jp-Workflows-field">
          <span>{trans.__('What is new, for the list of versions')}</span>
          <input name="note" type="text" maxLength={500} autoComplete="off" />
        </label>
        <label className="jp-Workflows-field">
          <span>{trans.__('Mail about failed runs goes to')}</span>
          <input
            name="owner"
            type="email"
            maxLength={200}
            defaultValue={workflow?.owner_address ?? ''}
            placeholder={trans.__('nobody')}
            autoComplete="off"
          />
        </label>
      </>,
      node => ({
        note: fieldOf(node, 'note') || null,
        owner_address: fieldOf(node, 'owner') || null
      })
    ),
    focusNodeSelector: '.jp-mod-accept',
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Deploy') })]
  });
  return answer.button.accept ? answer.value : null;
}

/** What deploying changes. */
function Summary({ editor, comparison }: { editor: WorkflowEditor; comparison: IComparison }): ReactElement {
  const { trans } = editor;
  if (comparison.status === 'draft') {
    const types = Object.values(editor.document.snapshot.stages).map(stage => stage.type);
    const hooks = types.filter(type => type === 'hook').length;
    const jobs = types.filter(type => type === 'job').length;
    return (
      <ul className="jp-Workflows-dialogChanges">
        <li>{trans._n('%1 stage becomes live.', '%1 stages become live.', types.length)}</li>
        {hooks > 0 && <li>{trans._n('%1 hook takes requests.', '%1 hooks take requests.', hooks)}</li>}
        {jobs > 0 && (
          <li>{trans._n('%1 job starts when it is due.', '%1 jobs start when they are due.', jobs)}</li>
        )}
      </ul>
    );
  }
  if (comparison.differences.length === 0) {
    return (
      <p>{trans.__('Nothing has changed since version %1, which is live.', comparison.live?.version)}</p>
    );
  }
  return (
    <>
      <p>{trans.__('Since version %1, which is live:', comparison.live?.version)}</p>
      <ul className="jp-Workflows-dialogChanges" aria-label={trans.__('Changes')}>
        {comparison.differences.map((difference, i) => (
          <li key={i} data-done={difference.done}>
            <span className="jp-Workflows-dialogDone">{doneText(difference, trans)}</span>
            {kindText(difference, trans)} <strong>{difference.name}</strong>
          </li>
        ))}
      </ul>
    </>
  );
}

function doneText({ done }: IDifference, trans: TranslationBundle): string {
  return { added: trans.__('added'), changed: trans.__('changed'), removed: trans.__('removed') }[done];
}

function kindText({ kind }: IDifference, trans: TranslationBundle): string {
  return {
    workflow: trans.__('workflow'),
    stage: trans.__('stage'),
    transition: trans.__('transition'),
    notebook: trans.__('notebook'),
    file: trans.__('file')
  }[kind];
}

/** Deploy, with a notification that lasts as long as it takes. */
async function send(editor: WorkflowEditor, wanted: IWanted): Promise<IDeployed | null> {
  const { client, trans } = editor;
  const id = Notification.emit(trans.__('Deploying: the project is copied…'), 'in-progress', {
    autoClose: false
  });
  try {
    const deployed = await client.post<IDeployed>(['deployments'], {
      path: editor.path,
      ...(wanted.note === null ? {} : { note: wanted.note }),
      ...(wanted.owner_address === null ? {} : { owner_address: wanted.owner_address })
    });
    Notification.update({
      id,
      message: trans.__('“%1” is live: version %2', deployed.title, deployed.version),
      type: 'success',
      autoClose: 5000
    });
    return deployed;
  } catch (error) {
    Notification.dismiss(id);
    if (error instanceof ProblemError && error.details.findings !== undefined) {
      const errors = error.details.findings.filter(finding => finding.severity === 'error');
      if (errors.length > 0) {
        await refuse(editor, errors);
        return null;
      }
    }
    Notification.error(`${trans.__('The workflow was not deployed.')} ${wordsOf(error)}`, {
      autoClose: false
    });
    return null;
  }
}

/** Show addresses, secrets that are shown only now, and when jobs are due. */
async function report(editor: WorkflowEditor, deployed: IDeployed): Promise<void> {
  const { client, trans } = editor;
  if (deployed.hooks.length === 0 && deployed.jobs.length === 0) {
    return;
  }
  const base = new URL(client.serverSettings.baseUrl, location.href);
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
  await showDialog({
    title: trans.__('Version %1 is live', deployed.version),
    body: new Body(
      <>
        {deployed.hooks.map(hook => {
          const address = URLExt.join(base.origin, hook.address);
          const secret = deployed.secrets.find(one => one.stage === hook.stage);
          return (
            <section key={hook.stage} className="jp-Workflows-live">
              <h3>{hook.title}</h3>
              <Copied label={trans.__('Address')} value={address} trans={trans} />
              {secret !== undefined && (
                <Copied
                  label={secret.kind === 'token' ? trans.__('Token') : trans.__('Secret of the signature')}
                  value={secret.secret}
                  trans={trans}
                />
              )}
            </section>
          );
        })}
        {deployed.secrets.length > 0 && (
          <p className="jp-Workflows-once" role="note">
            {trans.__('Copy what is secret now: it is never shown again. A new one can be made later.')}
          </p>
        )}
        {deployed.jobs.map(job => (
          <p key={job.stage}>
            {trans.__(
              '%1 is due %2',
              editor.document.snapshot.stages[job.stage]?.title ?? job.path,
              job.next_due === null ? trans.__('never') : format.format(new Date(job.next_due))
            )}
          </p>
        ))}
      </>,
      () => null
    ),
    buttons: [Dialog.okButton({ label: trans.__('Done') })]
  });
}

function Copied({
  label,
  value,
  trans
}: {
  label: string;
  value: string;
  trans: TranslationBundle;
}): ReactElement {
  return (
    <div className="jp-Workflows-copied">
      <span className="jp-Workflows-copiedLabel">{label}</span>
      <code>{value}</code>
      <CopyButton value={value} label={trans.__('Copy: %1', label)} done={trans.__('Copied')} />
    </div>
  );
}
