import { Clipboard } from '@jupyterlab/apputils';
import { copyIcon, downloadIcon, linkIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';
import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import { DataTable } from './DataTable';
import { describe, isArtifact, isTagged, pathOf } from './values';
import type { IArtifactValue } from './values';

/** How many items of a list or an object are drawn at first, and with each click on "more". */
const STEP = 50;

type Path = readonly (string | number)[];

interface ITreeProps {
  readonly editor: WorkflowEditor;
  readonly run: string;
}

/** Stage data as a tree. */
export function DataTree({
  data,
  label,
  ...props
}: ITreeProps & { readonly data: Readonly<Record<string, unknown>>; readonly label: string }): ReactElement {
  const { trans } = props.editor;
  if (Object.keys(data).length === 0) {
    return <p className="jp-Workflows-hint">{trans.__('There is no data.')}</p>;
  }
  return (
    <ul className="jp-Workflows-tree" role="tree" aria-label={label}>
      <Items value={data} path={[]} {...props} />
    </ul>
  );
}

function Items({
  value,
  path,
  ...props
}: ITreeProps & { readonly value: object; readonly path: Path }): ReactElement {
  const [shown, setShown] = useState(STEP);
  const { trans } = props.editor;
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, index): [number, unknown] => [index, item])
    : Object.entries(value);
  return (
    <>
      {entries.slice(0, shown).map(([name, item]) => (
        <Item key={name} name={name} value={item} path={[...path, name]} {...props} />
      ))}
      {entries.length > shown && (
        <li role="none">
          <button
            type="button"
            className="jp-Workflows-textButton"
            onClick={() => setShown(shown + 4 * STEP)}
          >
            {trans.__('%1 more', entries.length - shown)}
          </button>
        </li>
      )}
    </>
  );
}

function Item({
  name,
  value,
  path,
  ...props
}: ITreeProps & {
  readonly name: string | number;
  readonly value: unknown;
  readonly path: Path;
}): ReactElement {
  const { trans } = props.editor;
  const [isOpen, setIsOpen] = useState(path.length === 1 && small(value));
  const nested = typeof value === 'object' && value !== null && !isArtifact(value) && !isTagged(value);
  const table = isArtifact(value) && value.type === 'dataframe';
  const folds = table || (nested && Object.keys(value).length > 0);
  return (
    <li role="treeitem" aria-expanded={folds ? isOpen : undefined} aria-label={String(name)}>
      <div className="jp-Workflows-treeRow">
        {folds ? (
          <button
            type="button"
            className="jp-Workflows-treeFold"
            aria-label={isOpen ? trans.__('Fold %1', name) : trans.__('Unfold %1', name)}
            onClick={() => setIsOpen(!isOpen)}
          >
            <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
          </button>
        ) : (
          <span className="jp-Workflows-treeFold" />
        )}
        <span className="jp-Workflows-treeName">{name}</span>
        <Value value={value} isOpen={isOpen} editor={props.editor} />
        <span className="jp-Workflows-treeTools">
          {isArtifact(value) && <Download value={value} {...props} />}
          {!isArtifact(value) && (
            <button
              type="button"
              title={trans.__('Copy the value')}
              aria-label={trans.__('Copy the value of %1', name)}
              onClick={() => Clipboard.copyToSystem(plain(value))}
            >
              <copyIcon.react tag="span" width="14px" height="14px" />
            </button>
          )}
          <button
            type="button"
            title={trans.__('Copy the path: %1', pathOf(path))}
            aria-label={trans.__('Copy the path of %1', name)}
            onClick={() => Clipboard.copyToSystem(pathOf(path))}
          >
            <linkIcon.react tag="span" width="14px" height="14px" />
          </button>
        </span>
      </div>
      {isOpen && nested && (
        <ul role="group">
          <Items value={value} path={path} {...props} />
        </ul>
      )}
      {isOpen && table && <DataTable artifact={value} {...props} />}
    </li>
  );
}

function Value({
  value,
  isOpen,
  editor
}: {
  readonly value: unknown;
  readonly isOpen: boolean;
  readonly editor: WorkflowEditor;
}): ReactElement {
  const { trans } = editor;
  if (isArtifact(value)) {
    return <span className="jp-Workflows-treeKind">{describe(value, trans)}</span>;
  }
  if (isTagged(value)) {
    return (
      <span className="jp-Workflows-treeValue" title={value.kind}>
        {String(value.value)}
      </span>
    );
  }
  if (typeof value === 'object' && value !== null) {
    const count = Object.keys(value).length;
    const kind = Array.isArray(value)
      ? trans._n('%1 item', '%1 items', count)
      : trans._n('%1 key', '%1 keys', count);
    return <span className="jp-Workflows-treeKind">{isOpen ? '' : kind}</span>;
  }
  return (
    <span className="jp-Workflows-treeValue" data-type={value === null ? 'null' : typeof value}>
      {typeof value === 'string' ? value : pythonic(value)}
    </span>
  );
}

function Download({ value, editor, run }: ITreeProps & { readonly value: IArtifactValue }): ReactElement {
  const { trans, client } = editor;
  const suffix = { parquet: '.parquet', npy: '.npy', json: '.json' }[value.format ?? ''] ?? '';
  const name = value.name ?? `${value.hash.slice(0, 12)}${suffix}`;
  const { token } = client.serverSettings;
  const url = client.url('runs', run, 'artifacts', value.hash);
  return (
    <a
      href={token ? `${url}?token=${encodeURIComponent(token)}` : url}
      download={name}
      title={trans.__('Download %1', name)}
      aria-label={trans.__('Download %1', name)}
    >
      <downloadIcon.react tag="span" width="14px" height="14px" />
    </a>
  );
}

function small(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isArtifact(value) && Object.keys(value).length <= 6;
}

function pythonic(value: unknown): string {
  return value === null
    ? 'None'
    : value === true
      ? 'True'
      : value === false
        ? 'False'
        : JSON.stringify(value);
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(isTagged(value) ? value.value : value, null, 2);
}
