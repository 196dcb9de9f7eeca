import { Sanitizer } from '@jupyterlab/apputils';
import { renderMarkdown } from '@jupyterlab/rendermime';
import { memo, useCallback, useEffect, useRef } from 'react';
import type { ReactElement } from 'react';

import { setNote } from '../actions/notes';
import type { INote } from '../document/types';
import { useCanvas } from './context';
import { idOf } from './graph';
import { useKeyed } from './keyed';

/** A sticky note: Markdown, written in place. */
export const NoteCard = memo(function NoteCard({ id, note }: { id: string; note: INote }): ReactElement {
  const model = useCanvas();
  const { trans } = model.editor;
  const itemId = idOf('notes', id);
  const selected = useKeyed(model.selected, itemId);
  const tabStop = useKeyed(model.tabStop, itemId);
  const editing = useKeyed(model.edited, itemId);
  const text = note.text ?? '';
  const register = useCallback(
    (element: HTMLElement | null) => model.register(itemId, element),
    [model, itemId]
  );
  let classes = 'jp-Workflows-note';
  if (selected) {
    classes += ' jp-mod-selected';
  }
  return (
    <div
      ref={register}
      className={classes}
      data-note={id}
      data-color={note.color ?? 'yellow'}
      role="group"
      aria-roledescription={trans.__('note')}
      aria-label={text === '' ? trans.__('Empty note') : text}
      tabIndex={tabStop ? 0 : -1}
    >
      {editing ? (
        <Writing
          text={text}
          onEnd={next => endNote(model, id, itemId, next)}
          label={trans.__('Text of the note')}
        />
      ) : (
        <Markdown text={text} empty={trans.__('Double-click to write. Markdown is understood.')} />
      )}
      <div className="jp-Workflows-corner" data-resize="" />
    </div>
  );
});

function endNote(model: ReturnType<typeof useCanvas>, id: string, itemId: string, next: string | null): void {
  if (next !== null) {
    setNote(model.editor, id, { text: next });
  }
  model.edit(null);
  model.focus({ kind: 'notes', key: itemId.slice('notes:'.length) });
}

function Writing({
  text,
  label,
  onEnd
}: {
  text: string;
  label: string;
  onEnd: (text: string | null) => void;
}): ReactElement {
  const area = useRef<HTMLTextAreaElement>(null);
  const ended = useRef(false);
  useEffect(() => {
    area.current?.focus({ preventScroll: true });
    area.current?.select();
  }, []);
  const end = (next: string | null): void => {
    if (!ended.current) {
      ended.current = true;
      onEnd(next);
    }
  };
  return (
    <textarea
      ref={area}
      className="jp-Workflows-noteText nopan nowheel"
      data-lm-suppress-shortcuts="true"
      aria-label={label}
      defaultValue={text}
      onBlur={event => end(event.currentTarget.value)}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Escape') {
          end(null);
        } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey || event.shiftKey)) {
          event.preventDefault();
          end(event.currentTarget.value);
        }
      }}
    />
  );
}

function Markdown({ text, empty }: { text: string; empty: string }): ReactElement {
  const model = useCanvas();
  const host = useRef<HTMLDivElement>(null);
  const markdownParser = model.editor.rendermime?.markdownParser ?? null;
  useEffect(() => {
    const element = host.current!;
    if (text.trim() === '') {
      element.textContent = empty;
      return;
    }
    let current = true;
    const made = document.createElement('div');
    void renderMarkdown({
      host: made,
      source: text,
      trusted: false,
      sanitizer: new Sanitizer(),
      resolver: null,
      linkHandler: null,
      shouldTypeset: false,
      latexTypesetter: null,
      markdownParser
    }).then(() => {
      if (current) {
        element.replaceChildren(...made.childNodes);
        element.querySelectorAll('a').forEach(link => {
          link.target = '_blank';
          link.rel = 'noopener';
          link.tabIndex = -1;
        });
      }
    });
    return () => {
      current = false;
    };
  }, [text, empty, markdownParser]);
  const classes = 'jp-Workflows-noteBody jp-RenderedHTMLCommon';
  return <div ref={host} className={text.trim() === '' ? `${classes} jp-mod-empty` : classes} />;
}
