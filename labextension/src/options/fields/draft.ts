import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';

/** What is typed: what it means, or why it means nothing. */
export type Read<T> = { readonly value: T } | { readonly error: string };

export interface IDraftOptions<T> {
  /** The text of the document's value. */
  readonly text: string;
  readonly read: (text: string) => Read<T>;
  readonly commit: (value: T) => void;
  /** Whether Enter makes a new line. */
  readonly multiline?: boolean;
}

export interface IDraft {
  readonly text: string;
  /** Something was typed that is not in the document. */
  readonly dirty: boolean;
  /** Why it means nothing. */
  readonly error: string | null;
  /** What somebody else made of the value meanwhile; `null` if it is as it was. */
  readonly theirs: string | null;
  type(text: string): void;
  /** Put a text into the document at once. */
  take(text: string): void;
  commit(): void;
  restore(): void;
  onKeyDown(event: KeyboardEvent): void;
}

/**
 * A text that is typed, and goes into the document when it is left, or on Enter; Escape restores it.
 *
 * Nothing that was typed is lost: it is kept as long as it means nothing, and goes into the document when the
 * field is taken away. What others do meanwhile is told, and not overwritten before the field is left.
 */
export function useDraft<T>({ text, read, commit, multiline }: IDraftOptions<T>): IDraft {
  const [draft, setDraft] = useState<{ readonly text: string; readonly base: string } | null>(null);
  const shown = draft?.text ?? text;
  const dirty = draft !== null && draft.text !== draft.base;
  const meaning = dirty ? read(shown) : null;
  const error = meaning !== null && 'error' in meaning ? meaning.error : null;
  const theirs = draft !== null && dirty && draft.base !== text && draft.text !== text ? text : null;

  const put = (typed: string): void => {
    const wanted = read(typed);
    if ('value' in wanted) {
      setDraft(null);
      if (typed !== text) {
        commit(wanted.value);
      }
    }
  };
  const finish = (): void => {
    if (dirty) {
      put(shown);
    } else {
      setDraft(null);
    }
  };

  const last = useRef<(() => void) | null>(null);
  useEffect(() => {
    last.current =
      dirty && meaning !== null && 'value' in meaning && shown !== text ? () => commit(meaning.value) : null;
  });
  useEffect(() => () => last.current?.(), []);

  return {
    text: shown,
    dirty,
    error,
    theirs,
    type: typed => setDraft({ text: typed, base: draft?.base ?? text }),
    take: typed => {
      setDraft({ text: typed, base: text });
      put(typed);
    },
    commit: finish,
    restore: () => setDraft(null),
    onKeyDown: event => {
      if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
        const accel = event.ctrlKey || event.metaKey;
        if (!multiline || accel) {
          event.preventDefault();
          finish();
        }
      } else if (event.key === 'Escape' && dirty) {
        event.preventDefault();
        event.stopPropagation();
        setDraft(null);
      }
    }
  };
}
