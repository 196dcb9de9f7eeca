import { closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useMemo, useRef } from 'react';
import type { KeyboardEvent, ReactElement } from 'react';

import { typeName } from '../actions/stages';
import type { IFinding } from '../client/types';
import type { ISnapshot, Kind, StageType } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import type { IReference } from '../editor/selection';
import { stageIcons, workflowIcon } from '../icons';
import { RunTab } from '../runs/RunTab';
import { TestTab } from '../testing/TestTab';
import { useSignalValue, useSnapshot } from '../workbench/hooks';
import { PanelContext } from './context';
import { IconButton } from './fields/parts';
import { TABS } from './model';
import type { OptionsModel, Tab } from './model';
import { GroupSettings, NoteSettings, WorkflowSettings } from './OtherSettings';
import { StageSettings } from './StageSettings';
import { Subject } from './subject';
import { TransitionSettings } from './TransitionSettings';

const NO_FINDINGS: readonly IFinding[] = [];

/** Settings of what is selected, and of a stage also its tests and runs. */
export function OptionsPanel({
  editor,
  model,
  onClose
}: {
  editor: WorkflowEditor;
  model: OptionsModel;
  onClose: () => void;
}): ReactElement | null {
  const isOpen = useSignalValue(model.changed, () => model.isOpen);
  return isOpen ? <OpenPanel editor={editor} model={model} onClose={onClose} /> : null;
}

function OpenPanel({
  editor,
  model,
  onClose
}: {
  editor: WorkflowEditor;
  model: OptionsModel;
  onClose: () => void;
}): ReactElement {
  const { trans } = editor;
  const snapshot = useSnapshot(editor);
  const selected = useSignalValue(model.changed, () => model.items);
  const wanted = useSignalValue(model.changed, () => model.tab);
  const node = useRef<HTMLElement>(null);
  const id = useId();

  // Whoever asked for the options wants to go on here.
  useEffect(() => {
    const focus = (): void => {
      const first = node.current?.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]');
      (first ?? node.current?.querySelector<HTMLElement>('input, select, textarea') ?? node.current)?.focus();
    };
    let timer = window.setTimeout(focus);
    const later = (): void => {
      window.clearTimeout(timer);
      // What was asked for is drawn first.
      timer = window.setTimeout(focus);
    };
    model.requested.connect(later);
    return () => {
      window.clearTimeout(timer);
      model.requested.disconnect(later);
    };
  }, [model]);

  const items = selected.filter(({ kind, key }) => key in snapshot[kind]);
  const kinds = new Set(items.map(item => item.kind));
  const stage = items.length === 1 && items[0].kind === 'stages' ? items[0].key : null;
  const tab: Tab = stage === null ? 'settings' : wanted;
  const { title, subtitle, Icon } = heading(items, snapshot, trans);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && !event.defaultPrevented) {
      event.preventDefault();
      event.stopPropagation();
      onClose();
    }
  };
  return (
    <section
      ref={node}
      className="jp-Workflows-options"
      aria-label={trans.__('Options of %1', title)}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <header className="jp-Workflows-optionsHeader">
        {Icon !== null && <Icon.react tag="span" width="16px" height="16px" />}
        <h2 title={title}>{title}</h2>
        <span className="jp-Workflows-optionsKind">{subtitle}</span>
        <IconButton icon={closeIcon} label={trans.__('Close the options')} onClick={onClose} />
      </header>
      {stage !== null && <Tabs id={id} tab={tab} trans={trans} choose={next => model.choose(next)} />}
      <div
        // Something else is shown from its beginning.
        key={items.map(item => item.key).join(' ') + tab}
        className="jp-Workflows-optionsBody"
        {...(stage === null
          ? {}
          : { id: `${id}-panel`, role: 'tabpanel', 'aria-labelledby': `${id}-${tab}` })}
      >
        {tab === 'test' && stage !== null && <TestTab key={stage} editor={editor} stage={stage} />}
        {tab === 'run' && stage !== null && <RunTab key={stage} editor={editor} stage={stage} />}
        {tab === 'settings' &&
          (kinds.size > 1 ? (
            <Mixture items={items} editor={editor} />
          ) : (
            <Settings editor={editor} snapshot={snapshot} kind={[...kinds][0] ?? 'meta'} items={items} />
          ))}
      </div>
    </section>
  );
}

function Settings({
  editor,
  snapshot,
  kind,
  items
}: {
  editor: WorkflowEditor;
  snapshot: ISnapshot;
  kind: Kind | 'meta';
  items: readonly IReference[];
}): ReactElement {
  const findings = useSignalValue(editor.findings.changed, () => editor.findings.all);
  const keys = kind === 'meta' ? 'workflow' : items.map(item => item.key).join(' ');
  const subject = useMemo(() => {
    const all = keys.split(' ');
    const about = findings.filter(({ stage, transition }) =>
      kind === 'stages'
        ? stage !== null && all.includes(stage)
        : kind === 'transitions' && transition !== null && all.includes(transition)
    );
    return new Subject(editor, kind, all, snapshot, about.length === 0 ? NO_FINDINGS : about);
  }, [editor, kind, keys, snapshot, findings]);
  const context = useMemo(() => ({ editor, subject }), [editor, subject]);
  const types = new Set(kind === 'stages' ? items.map(({ key }) => snapshot.stages[key].type) : []);
  const type: StageType | null = types.size === 1 ? [...types][0] : null;
  return (
    <PanelContext.Provider value={context}>
      <div className="jp-Workflows-optionSettings" key={subject.id}>
        {items.length > 1 && (
          <p className="jp-Workflows-optionFieldHelp">
            {editor.trans.__('What is changed here is changed in all %1.', items.length)}
          </p>
        )}
        {kind === 'stages' && <StageSettings type={type} />}
        {kind === 'transitions' && <TransitionSettings />}
        {kind === 'notes' && <NoteSettings />}
        {kind === 'groups' && <GroupSettings />}
        {kind === 'meta' && <WorkflowSettings />}
      </div>
    </PanelContext.Provider>
  );
}

function Tabs({
  id,
  tab,
  trans,
  choose
}: {
  id: string;
  tab: Tab;
  trans: TranslationBundle;
  choose: (tab: Tab) => void;
}): ReactElement {
  const labels: Readonly<Record<Tab, string>> = {
    settings: trans.__('Settings'),
    test: trans.__('Test'),
    run: trans.__('Run')
  };
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const place = TABS.indexOf(tab);
    const next = {
      ArrowRight: (place + 1) % TABS.length,
      ArrowLeft: (place + TABS.length - 1) % TABS.length,
      Home: 0,
      End: TABS.length - 1
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      choose(TABS[next]);
      list.current?.querySelectorAll('button')[next]?.focus();
    }
  };
  return (
    <div
      ref={list}
      className="jp-Workflows-optionTabs"
      role="tablist"
      aria-label={trans.__('Options of the stage')}
      onKeyDown={onKeyDown}
    >
      {TABS.map(one => (
        <button
          key={one}
          id={`${id}-${one}`}
          type="button"
          role="tab"
          aria-selected={one === tab}
          aria-controls={`${id}-panel`}
          tabIndex={one === tab ? 0 : -1}
          onClick={() => choose(one)}
        >
          {labels[one]}
        </button>
      ))}
    </div>
  );
}

/** What is said of things of several kinds: they share nothing. */
function Mixture({ items, editor }: { items: readonly IReference[]; editor: WorkflowEditor }): ReactElement {
  const { trans } = editor;
  const names: Readonly<Record<Kind, (n: number) => string>> = {
    stages: n => trans._n('%1 stage', '%1 stages', n),
    transitions: n => trans._n('%1 transition', '%1 transitions', n),
    notes: n => trans._n('%1 note', '%1 notes', n),
    groups: n => trans._n('%1 group', '%1 groups', n)
  };
  const kinds = [...new Set(items.map(item => item.kind))];
  return (
    <div className="jp-Workflows-optionSettings">
      <p className="jp-Workflows-optionFieldHelp">
        {trans.__('Things of several kinds share no settings. Choose one kind:')}
      </p>
      {kinds.map(kind => {
        const some = items.filter(item => item.kind === kind);
        return (
          <button
            key={kind}
            type="button"
            className="jp-Workflows-optionButton"
            onClick={() => editor.selection.set(some)}
          >
            {names[kind](some.length)}
          </button>
        );
      })}
    </div>
  );
}

function heading(
  items: readonly IReference[],
  snapshot: ISnapshot,
  trans: TranslationBundle
): { title: string; subtitle: string; Icon: typeof workflowIcon | null } {
  if (items.length > 1) {
    return { title: trans.__('%1 selected', items.length), subtitle: '', Icon: null };
  }
  if (items.length === 0) {
    const { title } = snapshot.meta;
    return {
      title: (typeof title === 'string' && title) || trans.__('Workflow'),
      subtitle: trans.__('Workflow'),
      Icon: workflowIcon
    };
  }
  const [{ kind, key }] = items;
  switch (kind) {
    case 'stages': {
      const { type, title, path } = snapshot.stages[key];
      return { title: title || path, subtitle: typeName(type, trans), Icon: stageIcons[type] };
    }
    case 'transitions': {
      const { source, target } = snapshot.transitions[key];
      const name = (stage: string): string => (stage in snapshot.stages ? snapshot.stages[stage].title : '?');
      return { title: `${name(source)} → ${name(target)}`, subtitle: trans.__('Transition'), Icon: null };
    }
    case 'notes':
      return { title: trans.__('Note'), subtitle: '', Icon: null };
    case 'groups':
      return {
        title: snapshot.groups[key].title || trans.__('Group'),
        subtitle: trans.__('Group'),
        Icon: null
      };
  }
}
