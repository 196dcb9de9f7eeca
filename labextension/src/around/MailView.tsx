/**
 * What people are told by mail. Loaded when somebody looks at it.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';

import type { IMail } from '../client/types';
import type { IWorkflowsServer } from '../tokens';
import { wordsOf } from './opening';

class MailView extends ReactWidget {
  constructor(
    private readonly _server: IWorkflowsServer,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workflows-page');
  }

  protected render(): ReactElement {
    return <Mail server={this._server} trans={this._trans} />;
  }
}

export function createMailView(server: IWorkflowsServer, trans: TranslationBundle): Widget {
  return new MailView(server, trans);
}

function Mail({ server, trans }: { server: IWorkflowsServer; trans: TranslationBundle }): ReactElement {
  const [mail, setMail] = useState<readonly IMail[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const load = (): void => {
      server.client.get<{ readonly mail: readonly IMail[] }>(['mail'], { limit: 100 }).then(
        answer => {
          if (!gone) {
            setMail(answer.mail);
            setProblem(null);
          }
        },
        (error: unknown) => {
          if (!gone) {
            setProblem(wordsOf(error));
          }
        }
      );
    };
    const soon = (): void => {
      clearTimeout(timer);
      timer = setTimeout(load, 300);
    };
    load();
    server.events.runs.connect(soon);
    return () => {
      gone = true;
      clearTimeout(timer);
      server.events.runs.disconnect(soon);
    };
  }, [server]);

  if (problem !== null) {
    return <p role="alert">{problem}</p>;
  }
  if (mail === null) {
    return <p>{trans.__('Loading…')}</p>;
  }
  if (mail.length === 0) {
    return (
      <div className="jp-Workflows-empty">
        <h2>{trans.__('Nobody was told anything yet')}</h2>
        <p>
          {trans.__('When a task waits for a person, or a live run fails, the letter is shown here.')}{' '}
          {trans.__('Test runs send nothing: what they would send is shown here, too.')}
        </p>
      </div>
    );
  }
  return (
    <ul className="jp-Workflows-mail" aria-label={trans.__('Mail')}>
      {mail.map(one => (
        <li key={one.id}>
          <div className="jp-Workflows-mailHead">
            <strong>{one.subject}</strong>
            <span className={`jp-Workflows-badge jp-mod-${one.state}`}>{stateText(one, trans)}</span>
            <time dateTime={one.created_at}>{new Date(one.created_at).toLocaleString()}</time>
          </div>
          <div className="jp-Workflows-hint">{trans.__('To: %1', one.to ?? trans.__('nobody'))}</div>
          <p>{one.text}</p>
          {one.error !== null && <p className="jp-Workflows-hint">{one.error}</p>}
        </li>
      ))}
    </ul>
  );
}

function stateText({ state }: IMail, trans: TranslationBundle): string {
  return {
    waiting: trans.__('waits to be sent'),
    sent: trans.__('sent'),
    failed: trans.__('not sent'),
    test: trans.__('test: not sent')
  }[state];
}
