import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';

import { YWorkflow } from '../../document/ydoc';
import { Presence } from '../presence';
import { Selection } from '../selection';

class Person {
  readonly document = new YWorkflow();
  readonly awareness = this.document.awareness;
  readonly selection = new Selection();
  readonly presence = new Presence(this.awareness, this.selection);

  /** Tell somebody what is known here. */
  tell(other: Person): void {
    applyAwarenessUpdate(
      other.awareness,
      encodeAwarenessUpdate(this.awareness, [this.awareness.clientID]),
      this
    );
  }
}

describe('presence', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('knows nobody where one works alone', async () => {
    const me = new Person();
    me.selection.set([{ kind: 'stages', key: 'a' }]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(me.presence.others).toEqual([]);
  });

  it('shows who is there, and what they select', async () => {
    const [me, other] = [new Person(), new Person()];
    const seen = vi.fn();
    me.presence.changed.connect(seen);
    other.tell(me);
    expect(me.presence.others).toEqual([]);
    other.awareness.setLocalStateField('user', {
      username: 'x',
      name: 'ada',
      display_name: 'Ada Lovelace',
      initials: 'AL'
    });
    other.tell(me);
    other.selection.set([
      { kind: 'stages', key: 'a' },
      { kind: 'notes', key: 'n' }
    ]);
    await vi.advanceTimersByTimeAsync(100);
    other.tell(me);
    const [ada] = me.presence.others;
    expect(ada).toEqual({
      id: other.awareness.clientID,
      name: 'Ada Lovelace',
      initials: 'AL',
      color: expect.stringMatching(/^var\(--jp-collaborator-color[1-7]\)$/) as string,
      selection: [
        { kind: 'stages', key: 'a' },
        { kind: 'notes', key: 'n' }
      ]
    });
    expect(seen).toHaveBeenCalledTimes(2);
    other.awareness.setLocalStateField('autosave', true);
    other.tell(me);
    expect(me.presence.others[0]).toBe(ada);
    expect(seen).toHaveBeenCalledTimes(2);
    other.awareness.setLocalState(null);
    other.tell(me);
    expect(me.presence.others).toEqual([]);
  });

  it('tells at most ten times a second, the last of what was selected', async () => {
    const me = new Person();
    const told: unknown[] = [];
    me.awareness.on('change', () => told.push(me.awareness.getLocalState()?.workflow));
    for (let i = 0; i < 50; i++) {
      me.selection.set([{ kind: 'stages', key: `s${i}` }]);
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(told.length).toBeLessThanOrEqual(6);
    expect(told[told.length - 1]).toEqual({ selection: [{ kind: 'stages', key: 's49' }] });
  });

  it('takes nothing amiss', async () => {
    const [me, other] = [new Person(), new Person()];
    for (const [user, workflow] of [
      [5, 5],
      [{}, null],
      [{ name: 5 }, { selection: {} }],
      [
        { name: 'x', color: 'red; background: url(x)' },
        { selection: [1, { kind: 'x', key: 'a' }, { kind: 'stages' }] }
      ]
    ]) {
      other.awareness.setLocalState({ user, workflow });
      other.tell(me);
    }
    expect(me.presence.others).toHaveLength(1);
    expect(me.presence.others[0]).toMatchObject({ name: 'x', selection: [] });
    expect(me.presence.others[0].color).toMatch(/^var/);
  });
});
