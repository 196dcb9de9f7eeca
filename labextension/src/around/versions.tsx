/**
 * The versions of a workflow: which is live, going back, resting. Loaded when somebody looks at them.
 */
import { Dialog, Notification } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';

import type { IDeployed, IDeployment, IDeployments } from '../client/types';
import { statusText } from '../editor/deployment';
import type { WorkflowEditor } from '../editor/editor';
import { useSignalValue } from '../workbench/hooks';
import { tell, titleOf, wordsOf } from './opening';

/** Show the versions of a workflow; returns whether somebody wants to deploy. */
export async function showVersions(editor: WorkflowEditor): Promise<boolean> {
  const { trans } = editor;
  const dialog = new Dialog({
    title: trans.__('Versions of “%1”', titleOf(editor)),
    body: new VersionsBody(editor),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      Dialog.okButton({ label: trans.__('Deploy…') })
    ]
  });
  return (await dialog.launch()).button.accept;
}

class VersionsBody extends ReactWidget {
  constructor(private readonly _editor: WorkflowEditor) {
    super();
    this.addClass('jp-Workflows-dialog');
  }

  protected render(): ReactElement {
    return <Versions editor={this._editor} />;
  }
}

function Versions({ editor }: { editor: WorkflowEditor }): ReactElement {
  const { client, deployment, trans } = editor;
  const comparison = useSignalValue(deployment.changed, () => deployment.comparison);
  const uid = comparison?.workflow?.uid;
  const [versions, setVersions] = useState<readonly IDeployment[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (uid === undefined) {
      return;
    }
    const abort = new AbortController();
    client.get<IDeployments>(['deployments'], { workflow: uid, limit: 50 }, abort.signal).then(
      answer => {
        setVersions(answer.deployments);
        setProblem(null);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) {
          setProblem(wordsOf(error));
        }
      }
    );
    return () => abort.abort();
    // Again when something was deployed or activated.
  }, [client, uid, comparison]);

  const act = async (work: () => Promise<unknown>, failed: string): Promise<void> => {
    setBusy(true);
    try {
      await work();
      deployment.refresh();
    } catch (error) {
      tell(failed, error);
    } finally {
      setBusy(false);
    }
  };

  if (uid === undefined || comparison === null) {
    return <p>{trans.__('It is a draft: nobody has deployed it yet, so nothing of it starts by itself.')}</p>;
  }
  const paused = comparison.workflow?.paused ?? false;
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return (
    <>
      <p className="jp-Workflows-versionsState">
        <span>
          {statusText(deployment, comparison.status, trans)}
          {paused && ` · ${trans.__('paused: no job starts, and no hook takes requests')}`}
        </span>
        <button
          type="button"
          className="jp-Workflows-button"
          disabled={busy}
          onClick={() =>
            void act(
              () => client.post(['workflows', uid, paused ? 'resume' : 'pause']),
              paused ? trans.__('It could not be resumed.') : trans.__('It could not be paused.')
            )
          }
        >
          {paused ? trans.__('Resume') : trans.__('Pause')}
        </button>
      </p>
      {problem !== null && <p role="alert">{problem}</p>}
      <table className="jp-Workflows-table" aria-label={trans.__('Versions')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Version')}</th>
            <th scope="col">{trans.__('Deployed')}</th>
            <th scope="col">{trans.__('By')}</th>
            <th scope="col">{trans.__('What is new')}</th>
            <th scope="col">
              <span className="jp-Workflows-unseen">{trans.__('Activate')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map(one => (
            <tr key={one.id} aria-current={one.live || undefined}>
              <td>{one.version}</td>
              <td>{format.format(new Date(one.created_at))}</td>
              <td>{one.created_by ?? ''}</td>
              <td>{one.note ?? ''}</td>
              <td>
                {one.live ? (
                  <span className="jp-Workflows-badge jp-mod-live">{trans.__('Live')}</span>
                ) : (
                  <button
                    type="button"
                    className="jp-Workflows-button"
                    disabled={busy}
                    aria-label={trans.__('Make version %1 live', one.version)}
                    onClick={() =>
                      void act(async () => {
                        const live = await client.post<IDeployed>(['deployments', one.id, 'activate']);
                        Notification.success(trans.__('Version %1 is live again', live.version));
                      }, trans.__('It could not be made live.'))
                    }
                  >
                    {trans.__('Make Live')}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="jp-Workflows-hint">
        {trans.__('Runs under way follow the version that they began with.')}
      </p>
    </>
  );
}
