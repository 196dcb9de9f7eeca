/**
 * Who else has a workflow open, and what they have selected.
 */
import type { YDocument } from '@jupyter/ydoc';
import type { IDisposable } from '@lumino/disposable';
import { Throttler } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { isObject, same } from '../document/json';
import { KINDS } from '../document/types';
import type { Kind } from '../document/types';
import type { IReference, Selection } from './selection';

/** Milliseconds between two messages about a selection. */
const INTERVAL = 100;
/** Name of what is shared. */
const FIELD = 'workflow';
/** JupyterLab's colours for collaborators: `--jp-collaborator-color1` to this one. */
const COLORS = 7;

/** Somebody else who has the workflow open. */
export interface IPerson {
  /** Of this browser's page: a person may be there twice. */
  readonly id: number;
  readonly name: string;
  readonly initials: string;
  /** As CSS takes it. */
  readonly color: string;
  readonly selection: readonly IReference[];
}

/** Who else is here. An unchanged person stays the same object. */
export interface IPresence {
  /** In the order of their ids; empty without collaboration. */
  readonly others: readonly IPerson[];
  readonly changed: ISignal<IPresence, void>;
}

type Awareness = YDocument<never>['awareness'];

/** Tells the others what is selected here, at most ten times a second, and knows what they tell. */
export class Presence implements IPresence, IDisposable {
  constructor(
    private readonly _awareness: Awareness,
    private readonly _selection: Selection
  ) {
    this._throttler = new Throttler(() => this._send(), { limit: INTERVAL, edge: 'trailing' });
    this._selection.changed.connect(this._onSelected, this);
    this._awareness.on('change', this._onChange);
    this._onChange();
  }

  get others(): readonly IPerson[] {
    return this._others;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._throttler.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._selection.changed.disconnect(this._onSelected, this);
    this._awareness.off('change', this._onChange);
    this._throttler.dispose();
    Signal.clearData(this);
  }

  private _onSelected(): void {
    void this._throttler.invoke().catch(() => undefined);
  }

  private _send(): void {
    this._awareness.setLocalStateField(FIELD, { selection: this._selection.items });
  }

  private _onChange = (): void => {
    const before = new Map(this._others.map(person => [person.id, person]));
    const others: IPerson[] = [];
    for (const [id, state] of this._awareness.getStates() as ReadonlyMap<number, unknown>) {
      if (id !== this._awareness.clientID) {
        const person = personOf(id, state);
        const old = before.get(id);
        if (person !== null) {
          others.push(old !== undefined && same(old, person) ? old : person);
        }
      }
    }
    others.sort((one, other) => one.id - other.id);
    const unchanged =
      others.length === this._others.length && others.every((person, i) => person === this._others[i]);
    if (!unchanged) {
      this._others = others;
      this._changed.emit();
    }
  };

  private readonly _throttler: Throttler;
  private _others: readonly IPerson[] = [];
  private _changed = new Signal<this, void>(this);
}

/** Return who somebody is; `null` as long as they do not say. What others send may be anything. */
function personOf(id: number, state: unknown): IPerson | null {
  if (!isObject(state) || !isObject(state.user)) {
    return null;
  }
  const { name, display_name, initials, color } = state.user;
  const shown = text(display_name) ?? text(name);
  if (shown === undefined) {
    return null;
  }
  const shared = state[FIELD];
  const selection = isObject(shared) && Array.isArray(shared.selection) ? shared.selection : [];
  return {
    id,
    name: shown,
    initials: text(initials) ?? shown.slice(0, 1).toUpperCase(),
    color: colorOf(text(color), text(name) ?? shown),
    selection: selection.filter(isReference)
  };
}

function isReference(value: unknown): value is IReference {
  return isObject(value) && typeof value.key === 'string' && KINDS.includes(value.kind as Kind);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Return a person's colour: the one that JupyterLab gave them, else always the same by their name. */
function colorOf(color: string | undefined, name: string): string {
  if (color !== undefined && /^(var\(--jp-[\w-]+\)|#[0-9a-f]{3,8}|[a-z]+)$/i.test(color)) {
    return color;
  }
  const sum = Array.from(name).reduce((hash, letter) => (hash * 31 + letter.codePointAt(0)!) % 997, 7);
  return `var(--jp-collaborator-color${(sum % COLORS) + 1})`;
}
