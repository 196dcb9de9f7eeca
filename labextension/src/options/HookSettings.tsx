import { URLExt } from '@jupyterlab/coreutils';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { useState } from 'react';
import type { ReactElement } from 'react';

import { slug } from '../actions/slugs';
import type { INewSecret } from '../client/types';
import { usePanel } from './context';
import { SelectField, ToggleGroup } from './fields/choices';
import { FieldGroup, Messages } from './fields/Field';
import { PairsField } from './fields/PairsField';
import { CopyButton, Section } from './fields/parts';
import { DurationField, TextField } from './fields/TextField';
import { useDeployedHook, wordsOf } from './server';
import type { IDeployedHook } from './server';
import { MIXED, object, text } from './subject';
import { curl } from './values/curl';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Settings of a hook. */
export function HookSettings(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const given = subject.get('methods');
  const methods = Array.isArray(given) ? given.map(String) : given === MIXED ? [] : ['POST'];
  const response = subject.get('response') ?? 'wait';
  return (
    <>
      {subject.single && <Address methods={methods} />}
      <ToggleGroup
        label={trans.__('Methods')}
        messages={subject.messages('methods')}
        help={given === MIXED ? trans.__('Several values') : undefined}
        chosen={methods}
        choices={METHODS.map(value => ({ value, label: value }))}
        onChange={chosen => {
          if (chosen.length > 0) {
            subject.set('methods', chosen.join() === 'POST' ? undefined : [...chosen]);
          }
        }}
      />
      <SelectField
        path="auth.kind"
        label={trans.__('Callers show')}
        preset="token"
        choices={[
          { value: 'token', label: trans.__('a token') },
          { value: 'signature', label: trans.__('a signature of the request') },
          { value: 'none', label: trans.__('nothing: anybody may call') }
        ]}
      />
      <div className="jp-Workflows-optionFieldRow">
        <SelectField
          path="response"
          label={trans.__('The caller')}
          preset="wait"
          choices={[
            { value: 'wait', label: trans.__('waits for the response') },
            { value: 'accept', label: trans.__('is told “accepted”') }
          ]}
        />
        {response !== 'accept' && (
          <DurationField
            seconds
            path="response_timeout"
            label={trans.__('for at most')}
            placeholder={trans.__('30 seconds')}
          />
        )}
      </div>
      <TextField
        path="route"
        label={trans.__('Route')}
        mono
        placeholder="{order}/items/{item}"
        help={trans.__('The path below the address; {name} takes a part of it.')}
      />
      <Section
        name="hook-middle"
        title={trans.__('In the middle of a run')}
        open={subject.get('match') !== undefined || subject.get('expires') !== undefined}
      >
        <PairsField
          path="match"
          label={trans.__('Meant for the run where')}
          help={trans.__('A key of the stage data equals a place in the request.')}
          names={{ label: trans.__('Key of the stage data'), example: 'order_id' }}
          values={{ label: trans.__('Place in the request'), example: 'body.order.id' }}
        />
        <DurationField path="expires" label={trans.__('Fails after')} placeholder={trans.__('never')} />
      </Section>
    </>
  );
}

function Address({ methods }: { methods: readonly string[] }): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const [asked, setAsked] = useState(0);
  const deployed = useDeployedHook(editor, subject.keys[0], asked).value ?? null;
  const { baseUrl } = editor.client.serverSettings;
  const route = text(subject.get('route'));
  const path =
    deployed?.hook.address ??
    URLExt.join(
      new URL(baseUrl, window.location.href).pathname,
      'workflows/hooks',
      slug(text(editor.document.snapshot.meta.title), 'workflow'),
      text(subject.get('path'))
    );
  const address = new URL(path, baseUrl).href + (route === '' ? '' : `/${route}`);
  const auth = text(subject.get('auth.kind')) || 'token';
  const request = object(object(subject.get('test')).request);
  const method =
    typeof request.method === 'string' && methods.includes(request.method) ? request.method : methods[0];
  const command = curl({ address, method: method ?? 'POST', auth, request });
  return (
    <>
      <FieldGroup
        label={trans.__('Address')}
        aside={
          <span className={`jp-Workflows-optionChip ${deployed === null ? '' : 'jp-mod-live'}`}>
            {deployed === null ? trans.__('Draft') : trans.__('Live')}
          </span>
        }
        help={
          deployed === null ? trans.__('It takes requests as soon as the workflow is deployed.') : undefined
        }
      >
        <div className="jp-Workflows-optionCopied">
          <code tabIndex={0}>{address}</code>
          <CopyButton text={address} label={trans.__('Copy the address')} />
        </div>
      </FieldGroup>
      <Section name="hook-call" title={trans.__('How to call it')}>
        <div className="jp-Workflows-optionCopied jp-mod-code">
          <pre tabIndex={0} aria-label={trans.__('Command for a terminal')}>
            {command}
          </pre>
          <CopyButton text={command} label={trans.__('Copy the command')} />
        </div>
        <p className="jp-Workflows-optionFieldHelp">{authWords(auth, trans.__.bind(trans))}</p>
        {Object.keys(request).length === 0 && (
          <p className="jp-Workflows-optionFieldHelp">
            {trans.__('The body is the example request of the Test tab, as soon as there is one.')}
          </p>
        )}
        {auth !== 'none' && <Secrets deployed={deployed} onRotated={() => setAsked(asked + 1)} />}
      </Section>
    </>
  );
}

function authWords(auth: string, say: (words: string) => string): string {
  switch (auth) {
    case 'token':
      return say('TOKEN is the hook’s secret, in the header Authorization: Bearer TOKEN or X-Api-Key.');
    case 'signature':
      return say(
        'The body is signed with the hook’s SECRET: X-Hub-Signature-256 as here, or the headers of Standard Webhooks.'
      );
    default:
      return say('Anybody who knows the address can start runs.');
  }
}

function Secrets({
  deployed,
  onRotated
}: {
  deployed: IDeployedHook | null;
  onRotated: () => void;
}): ReactElement {
  const { editor } = usePanel();
  const { trans } = editor;
  const [error, setError] = useState<string | null>(null);
  if (deployed === null) {
    return (
      <p className="jp-Workflows-optionFieldHelp">
        {trans.__('The secret is made with the first deployment.')}
      </p>
    );
  }
  const rotate = async (): Promise<void> => {
    const sure = await showDialog({
      title: trans.__('Make a new secret?'),
      body: trans.__('It is shown once. Secrets that there are stay valid for a day.'),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Make it') })
      ]
    });
    if (!sure.button.accept) {
      return;
    }
    try {
      const made = await editor.client.post<INewSecret>([
        'workflows',
        deployed.workflow,
        'stages',
        deployed.hook.path,
        'secrets'
      ]);
      setError(null);
      onRotated();
      await showDialog({
        title: trans.__('The new secret'),
        body: (
          <div className="jp-Workflows-optionSecret">
            <p>{trans.__('Copy it now: it is not shown again.')}</p>
            <input className="jp-mod-styled" readOnly value={made.secret} aria-label={trans.__('Secret')} />
          </div>
        ),
        buttons: [Dialog.okButton({ label: trans.__('Done') })]
      });
    } catch (reason) {
      setError(wordsOf(reason as Error));
    }
  };
  return (
    <FieldGroup label={trans.__('Secrets')}>
      <ul className="jp-Workflows-optionList">
        {deployed.secrets.map(secret => (
          <li key={secret.id}>
            <code>…{secret.hint}</code>{' '}
            {secret.expires_at === null
              ? trans.__('made %1', new Date(secret.created_at).toLocaleDateString())
              : trans.__('valid until %1', new Date(secret.expires_at).toLocaleString())}
          </li>
        ))}
      </ul>
      <button type="button" className="jp-Workflows-optionButton" onClick={() => void rotate()}>
        {trans.__('New secret…')}
      </button>
      <Messages messages={error === null ? [] : [{ severity: 'error', text: error }]} />
    </FieldGroup>
  );
}
