import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { ReactElement } from 'react';

import { addStage, INNER_TYPES, typeCaption, typeName } from '../actions/stages';
import { STAGE_TYPES } from '../document/types';
import type { StageType } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { useSignalValue } from '../workbench/hooks';
import { useCanvas } from './context';
import type { CanvasModel, IAddRequest } from './model';

/** Width and height that the box takes at most. */
const SIZE = [280, 320] as const;
/** How deep notebooks are looked for, and how many folders at most. */
const DEPTH = 3;
const FOLDERS = 40;

interface IChoice {
  readonly id: string;
  readonly type: StageType;
  readonly notebook?: string;
  readonly label: string;
  readonly caption: string;
}

/** A search box for a new stage: its types, and the notebooks of the project. */
export function AddBox(): ReactElement | null {
  const model = useCanvas();
  const request = useSignalValue(model.addRequested, () => model.addRequest);
  return request === null ? null : <Box model={model} request={request} />;
}

function Box({ model, request }: { model: CanvasModel; request: IAddRequest }): ReactElement {
  const { editor } = model;
  const { trans } = editor;
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const notebooks = useNotebooks(editor);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();

  useEffect(() => field.current?.focus({ preventScroll: true }), []);

  const choices = useMemo(() => {
    const types = request.after === undefined && request.before === undefined ? STAGE_TYPES : INNER_TYPES;
    const all: IChoice[] = types.map(type => ({
      id: type,
      type,
      label: typeName(type, trans),
      caption: typeCaption(type, trans)
    }));
    for (const notebook of notebooks) {
      all.push({
        id: notebook,
        type: 'script',
        notebook,
        label: PathExt.basename(notebook, '.ipynb'),
        caption: notebook
      });
    }
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return all.filter(choice => {
      const text = `${choice.label} ${choice.caption} ${choice.type}`.toLowerCase();
      return words.every(word => text.includes(word));
    });
  }, [request, notebooks, query, trans]);

  const close = (refocus: boolean): void => {
    model.requestAdd(null);
    if (refocus) {
      editor.view?.focus();
    }
  };
  const take = (choice: IChoice | undefined): void => {
    if (choice === undefined) {
      return;
    }
    const { after, before } = request;
    const options = {
      type: choice.type,
      notebook: choice.notebook,
      // A stage on an arrow has its place by what is around it.
      ...(before === undefined ? { position: request.at } : { before }),
      ...(after === undefined ? {} : { after })
    };
    close(true);
    addStage(editor, options).then(
      key => model.focus({ kind: 'stages', key }),
      error => Notification.error(trans.__('The stage could not be added: %1', (error as Error).message))
    );
  };
  const select = (index: number): void => {
    const next = (index + choices.length) % Math.max(choices.length, 1);
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
  };

  const [x, y] = model.toElement(request.at);
  const { clientWidth = 0, clientHeight = 0 } = model.root ?? {};
  const left = Math.max(8, Math.min(x, clientWidth - SIZE[0] - 8));
  const top = Math.max(8, Math.min(y, clientHeight - SIZE[1] - 8));
  const current = choices[at] as IChoice | undefined;
  return (
    <div
      className="jp-Workflows-addBox"
      data-lm-suppress-shortcuts="true"
      role="dialog"
      aria-label={trans.__('Add a stage')}
      style={{ left, top }}
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          close(false);
        }
      }}
    >
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-expanded={true}
        aria-controls={`${id}-list`}
        aria-activedescendant={current === undefined ? undefined : `${id}-${at}`}
        aria-label={trans.__('Type or notebook of the new stage')}
        placeholder={trans.__('Type or notebook of the new stage')}
        value={query}
        onChange={event => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={event => {
          event.stopPropagation();
          switch (event.key) {
            case 'ArrowDown':
              select(at + 1);
              break;
            case 'ArrowUp':
              select(at - 1);
              break;
            case 'Enter':
              take(current);
              break;
            case 'Escape':
            case 'Tab':
              close(true);
              break;
            default:
              return;
          }
          event.preventDefault();
        }}
      />
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label={trans.__('Stages')}>
        {choices.map((choice, i) => (
          <li
            key={choice.id}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            className={i === at ? 'jp-mod-active' : undefined}
            onPointerMove={() => setAt(i)}
            onPointerDown={event => {
              event.preventDefault();
              event.stopPropagation();
              take(choice);
            }}
          >
            <div
              className="jp-Workflows-tile"
              data-type={choice.notebook === undefined ? choice.type : 'notebook'}
            />
            <div className="jp-Workflows-choiceText">
              <div>{choice.label}</div>
              <div className="jp-Workflows-choiceCaption">{choice.caption}</div>
            </div>
          </li>
        ))}
        {choices.length === 0 && (
          <li role="option" aria-disabled="true" aria-selected="false">
            {trans.__('Nothing is called so')}
          </li>
        )}
      </ul>
    </div>
  );
}

/** The notebooks in the folder of a workflow that are no stages yet, relative to it. */
function useNotebooks(editor: WorkflowEditor): readonly string[] {
  const [notebooks, setNotebooks] = useState<readonly string[]>([]);
  useEffect(() => {
    let current = true;
    void notebooksOf(editor, found => {
      if (current) {
        setNotebooks(found);
      }
    });
    return () => {
      current = false;
    };
  }, [editor]);
  return notebooks;
}

async function notebooksOf(editor: WorkflowEditor, tell: (found: readonly string[]) => void): Promise<void> {
  const used = new Set(Object.values(editor.document.snapshot.stages).map(stage => stage.notebook));
  const found: string[] = [];
  const open: [string, number][] = [['', 0]];
  for (let visited = 0; open.length > 0 && visited < FOLDERS; visited++) {
    const [folder, depth] = open.shift()!;
    try {
      const model = await editor.contents.get(editor.notebookPath(folder));
      for (const entry of (model.content as { name: string; type: string }[] | null) ?? []) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (entry.type === 'directory' && depth < DEPTH && !entry.name.startsWith('.')) {
          open.push([path, depth + 1]);
        } else if (entry.type === 'notebook' && !used.has(path)) {
          found.push(path);
        }
      }
    } catch {
      // A folder that cannot be read offers nothing.
    }
    tell([...found].sort());
  }
}
