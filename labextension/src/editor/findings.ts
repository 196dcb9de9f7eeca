/**
 * What a check of an open document finds.
 */
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { IFinding } from '../client/types';
import type { WorkflowEditor } from './editor';

/** Milliseconds of quiet before the document is checked. */
const QUIET = 400;

/** Findings of the document as it is on the screen, by what they are about. */
export class Findings implements IDisposable {
  constructor(private readonly _editor: WorkflowEditor) {
    this._debouncer = new Debouncer(() => this._check(), QUIET);
    _editor.document.changed.connect(this.refresh, this);
    void _editor.context.ready.then(() => this.refresh());
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get all(): readonly IFinding[] {
    return this._all;
  }

  /** Whether the last check could not be made, for instance because the server is away. */
  get failed(): boolean {
    return this._failed;
  }

  ofStage(key: string): readonly IFinding[] {
    return this._byStage.get(key) ?? NONE;
  }

  ofTransition(key: string): readonly IFinding[] {
    return this._byTransition.get(key) ?? NONE;
  }

  /** Check again soon. */
  refresh(): void {
    if (!this.isDisposed) {
      void this._debouncer.invoke().catch(() => undefined);
    }
  }

  get isDisposed(): boolean {
    return this._debouncer.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._editor.document.changed.disconnect(this.refresh, this);
    this._abort?.abort();
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  private async _check(): Promise<void> {
    if (this._editor.document.problem !== null || this._editor.isDisposed) {
      return;
    }
    this._abort?.abort();
    const abort = (this._abort = new AbortController());
    try {
      const answer = await this._editor.client.check(
        this._editor.document.getSource(),
        this._editor.path,
        abort.signal
      );
      if (abort.signal.aborted || this.isDisposed) {
        return;
      }
      this._failed = false;
      this._take(answer.findings);
    } catch {
      if (abort.signal.aborted || this.isDisposed) {
        return;
      }
      this._failed = true;
      this._changed.emit();
    }
  }

  private _take(findings: readonly IFinding[]): void {
    this._all = findings;
    this._byStage = grouped(findings, finding => finding.stage, this._byStage);
    this._byTransition = grouped(findings, finding => finding.transition, this._byTransition);
    this._changed.emit();
  }

  private readonly _debouncer: Debouncer;
  private _abort: AbortController | null = null;
  private _all: readonly IFinding[] = NONE;
  private _byStage: ReadonlyMap<string, readonly IFinding[]> = new Map();
  private _byTransition: ReadonlyMap<string, readonly IFinding[]> = new Map();
  private _failed = false;
  private _changed = new Signal<this, void>(this);
}

const NONE: readonly IFinding[] = [];

/** Group findings; a group that says the same as before stays the same object. */
function grouped(
  findings: readonly IFinding[],
  by: (finding: IFinding) => string | null,
  before: ReadonlyMap<string, readonly IFinding[]>
): ReadonlyMap<string, readonly IFinding[]> {
  const groups = new Map<string, IFinding[]>();
  for (const finding of findings) {
    const key = by(finding);
    if (key !== null) {
      groups.set(key, [...(groups.get(key) ?? []), finding]);
    }
  }
  return new Map(
    [...groups].map(([key, group]) => {
      const old = before.get(key);
      return [key, old !== undefined && JSON.stringify(old) === JSON.stringify(group) ? old : group];
    })
  );
}
