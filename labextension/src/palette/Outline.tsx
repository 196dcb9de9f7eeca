import type { ISignal } from '@lumino/signaling';
import { useCallback, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactElement } from 'react';

import { typeName } from '../actions/stages';
import type { StageRunState } from '../client/types';
import { groupIcon } from '../commands/icons';
import type { WorkflowEditor } from '../editor/editor';
import { useSelection, useSignalValue, useSnapshot } from '../workbench/hooks';
import { outlineOf } from './outline';
import type { IRow } from './outline';
import { Tile } from './Tile';

/** Height of a row, as in the style. */
const ROW = 28;
/** Rows that are drawn beyond what is seen. */
const BEYOND = 8;

/** What is in the graph, in the order in which it is read. */
export function Outline({ editor }: { editor: WorkflowEditor }): ReactElement {
  const { trans } = editor;
  const id = useId();
  const tree = useRef<HTMLDivElement>(null);
  const [filter, setFilter] = useState('');
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string | null>(null);
  const [window, setWindow] = useState<readonly [top: number, height: number]>([0, 400]);
  // A large graph is drawn first, its outline then.
  const snapshot = useDeferredValue(useSnapshot(editor));
  const selection = useSelection(editor);
  const states = useSignalValue(editor.statesChanged, () => editor.states);
  useTicks(editor.findings.changed);
  useTicks(states?.changed);

  const rows = useMemo(() => outlineOf(snapshot, filter, closed), [snapshot, filter, closed]);
  const selected = useMemo(() => new Set(selection.map(({ kind, key }) => `${kind}:${key}`)), [selection]);
  const at = rows.findIndex(row => nameOf(row) === active);

  const look = useCallback(() => {
    if (tree.current !== null) {
      const { scrollTop, clientHeight } = tree.current;
      setWindow([scrollTop, clientHeight]);
    }
  }, []);
  useEffect(() => {
    const observer = new ResizeObserver(look);
    observer.observe(tree.current!);
    return () => observer.disconnect();
  }, [look]);

  const scrollTo = (index: number): void => {
    const node = tree.current;
    if (node !== null) {
      node.scrollTop = Math.min(Math.max(node.scrollTop, (index + 1) * ROW - node.clientHeight), index * ROW);
    }
  };
  // What is selected on the canvas is shown here.
  useEffect(() => {
    const follow = (): void => {
      const [first] = editor.selection.items;
      const name = first === undefined ? null : `${first.kind}:${first.key}`;
      const index = rows.findIndex(row => nameOf(row) === name);
      if (index >= 0) {
        setActive(name);
        scrollTo(index);
      }
    };
    editor.selection.changed.connect(follow);
    return () => {
      editor.selection.changed.disconnect(follow);
    };
  }, [editor, rows]);

  const go = (index: number): void => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row !== undefined) {
      setActive(nameOf(row));
      scrollTo(rows.indexOf(row));
      reveal(editor, row, false);
    }
  };
  const toggle = (row: IRow, open: boolean): void => {
    const next = new Set(closed);
    if (open) {
      next.delete(row.key);
    } else {
      next.add(row.key);
    }
    setClosed(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[at] as IRow | undefined;
    switch (event.key) {
      case 'ArrowDown':
        go(at + 1);
        break;
      case 'ArrowUp':
        go(at < 0 ? rows.length - 1 : at - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(rows.length - 1);
        break;
      case 'ArrowLeft':
        if (row?.open) {
          toggle(row, false);
        } else if (row?.level === 2) {
          go(
            rows
              .slice(0, at)
              .map(other => other.kind)
              .lastIndexOf('groups')
          );
        }
        break;
      case 'ArrowRight':
        if (row?.open === false) {
          toggle(row, true);
        } else if (row?.open) {
          go(at + 1);
        }
        break;
      case 'Enter':
        if (row !== undefined) {
          reveal(editor, row, true);
        }
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const from = Math.max(Math.floor(window[0] / ROW) - BEYOND, 0);
  const until = Math.min(Math.ceil((window[0] + window[1]) / ROW) + BEYOND, rows.length);
  const drawn = rows.slice(from, until).map((row, i) => ({ row, index: from + i }));
  if (at >= 0 && (at < from || at >= until)) {
    // The active row has to be there for screen readers.
    drawn.push({ row: rows[at], index: at });
  }
  const isEmpty = Object.keys(snapshot.stages).length === 0;
  return (
    <section className="jp-Workflows-outline" aria-label={trans.__('Outline')}>
      <h3 className="jp-Workflows-paletteHeading">{trans.__('Outline')}</h3>
      <input
        className="jp-Workflows-outlineFilter"
        type="search"
        placeholder={trans.__('Filter')}
        aria-label={trans.__('Filter the outline')}
        aria-controls={`${id}-tree`}
        value={filter}
        hidden={isEmpty}
        onChange={event => setFilter(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'ArrowDown' || event.key === 'Enter') {
            event.preventDefault();
            tree.current?.focus();
            go(0);
          } else if (event.key === 'Escape' && filter !== '') {
            event.stopPropagation();
            setFilter('');
          }
        }}
      />
      <div
        ref={tree}
        id={`${id}-tree`}
        className="jp-Workflows-outlineTree"
        role="tree"
        aria-label={trans.__('Stages of the workflow')}
        aria-activedescendant={at < 0 ? undefined : `${id}-${nameOf(rows[at])}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={look}
      >
        <div role="presentation" style={{ height: rows.length * ROW }}>
          {drawn.map(({ row, index }) => (
            <OutlineRow
              key={nameOf(row)}
              id={`${id}-${nameOf(row)}`}
              editor={editor}
              row={row}
              index={index}
              count={rows.length}
              active={index === at}
              selected={selected.has(nameOf(row))}
              state={row.kind === 'stages' ? states?.stage(row.key)?.state : undefined}
              onClick={focus => {
                setActive(nameOf(row));
                reveal(editor, row, focus);
              }}
              onToggle={() => toggle(row, row.open === false)}
            />
          ))}
        </div>
      </div>
      {rows.length === 0 && (
        <p className="jp-Workflows-outlineEmpty">
          {isEmpty ? trans.__('There are no stages yet.') : trans.__('No stage matches.')}
        </p>
      )}
    </section>
  );
}

function OutlineRow({
  id,
  editor,
  row,
  index,
  count,
  active,
  selected,
  state,
  onClick,
  onToggle
}: {
  id: string;
  editor: WorkflowEditor;
  row: IRow;
  index: number;
  count: number;
  active: boolean;
  selected: boolean;
  state: StageRunState | undefined;
  onClick: (focus: boolean) => void;
  onToggle: () => void;
}): ReactElement {
  const { trans, findings } = editor;
  const found = row.kind === 'stages' ? findings.ofStage(row.key) : [];
  const errors = found.filter(finding => finding.severity === 'error').length;
  const warnings = found.filter(finding => finding.severity === 'warning').length;
  const problems = found.map(finding => finding.message).join('\n');
  const type = row.type === undefined ? trans.__('Group') : typeName(row.type, trans);
  const parts = [
    row.title,
    type,
    ...(row.disabled ? [trans.__('disabled')] : []),
    ...(state === undefined ? [] : [stateName(editor, state)]),
    ...(errors > 0 ? [trans._n('%1 error', '%1 errors', errors)] : []),
    ...(warnings > 0 ? [trans._n('%1 warning', '%1 warnings', warnings)] : [])
  ];
  const className = [
    'jp-Workflows-outlineRow',
    active ? 'jp-mod-active' : '',
    selected ? 'jp-mod-selected' : '',
    row.disabled ? 'jp-mod-disabled' : ''
  ].join(' ');
  return (
    <div
      id={id}
      role="treeitem"
      className={className}
      style={{ top: index * ROW, paddingLeft: 8 + (row.level - 1) * 16 }}
      aria-label={parts.join(', ')}
      aria-level={row.level}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-selected={selected}
      aria-expanded={row.open}
      title={problems || undefined}
      data-outline={row.key}
      onClick={() => onClick(false)}
      onDoubleClick={() => onClick(true)}
    >
      {row.kind === 'groups' ? (
        <span
          className="jp-Workflows-outlineTwist"
          onClick={event => {
            event.stopPropagation();
            onToggle();
          }}
        >
          <span className="jp-Workflows-twist" data-open={row.open} />
          <groupIcon.react tag="span" width="16px" height="16px" />
        </span>
      ) : (
        <Tile type={row.type!} size={20} />
      )}
      <span className="jp-Workflows-outlineTitle">{row.title}</span>
      {errors + warnings > 0 && (
        <span className="jp-Workflows-outlineFindings" data-severity={errors > 0 ? 'error' : 'warning'}>
          {errors || warnings}
        </span>
      )}
      {state !== undefined && <span className="jp-Workflows-outlineState" data-state={state} />}
    </div>
  );
}

function stateName({ trans }: WorkflowEditor, state: StageRunState): string {
  return {
    queued: trans.__('queued'),
    waiting: trans.__('waiting'),
    joining: trans.__('joining'),
    running: trans.__('running'),
    completed: trans.__('completed'),
    failed: trans.__('failed'),
    cancelled: trans.__('cancelled')
  }[state];
}

function nameOf(row: IRow): string {
  return `${row.kind}:${row.key}`;
}

function reveal(editor: WorkflowEditor, { kind, key }: IRow, focus: boolean): void {
  editor.selection.set([{ kind, key }]);
  editor.view?.reveal({ kind, key }, { focus });
}

/** Draw again after each signal. */
function useTicks(signal: ISignal<unknown, unknown> | undefined): void {
  const [, setTick] = useState(0);
  useEffect(() => {
    const tick = (): void => setTick(value => value + 1);
    signal?.connect(tick);
    return () => {
      signal?.disconnect(tick);
    };
  }, [signal]);
}
