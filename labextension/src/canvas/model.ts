/**
 * The state of a canvas beside the document: what is pointed at, dragged, pulled. It draws nothing itself.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';
import type { ReactFlowInstance, Viewport } from '@xyflow/react';

import type { IFinding } from '../client/types';
import type { Point } from '../document/types';
import type { YWorkflow, WorkflowChange } from '../document/ydoc';
import { statusText } from '../editor/deployment';
import type { WorkflowEditor } from '../editor/editor';
import type { IPerson } from '../editor/presence';
import type { IReference } from '../editor/selection';
import type { IRunStates, IStageState } from '../editor/states';
import type { IBox } from './geometry';
import { Graph, idOf } from './graph';
import { itemOf } from './items';
import { Keyed } from './keyed';

/** What the box for a new stage is opened for. */
export interface IAddRequest {
  /** Where the stage goes, in the document. */
  readonly at: Point;
  /** An arrow that ends at the new stage. */
  readonly after?: { readonly source: string; readonly on?: 'completed' | 'failed' };
  /** An arrow into which the new stage is inserted. */
  readonly before?: string;
}

/** What an element of the page shows. */
export interface IArrowElement {
  readonly group: SVGGElement;
  /** The way as it was drawn last, to return to. */
  restore(): void;
  reroute(source: IBox, target: IBox): void;
}

const NOBODY: readonly IPerson[] = [];

export class CanvasModel implements IDisposable {
  constructor(readonly editor: WorkflowEditor) {
    this.graph.update(editor.document.snapshot);
    this._indexSelection();
    editor.document.changed.connect(this._onDocument, this);
    editor.selection.changed.connect(this._onSelection, this);
    editor.findings.changed.connect(this._onFindings, this);
    editor.statesChanged.connect(this._onStates, this);
    editor.deployment.changed.connect(this._onDeployment, this);
    editor.presence.changed.connect(this._onPresence, this);
    this._onPresence();
    this._onStates();
  }

  readonly graph = new Graph();

  readonly stageFindings = new Keyed<readonly IFinding[]>(key => this.editor.findings.ofStage(key));
  readonly transitionFindings = new Keyed<readonly IFinding[]>(key => this.editor.findings.ofTransition(key));
  readonly states = new Keyed<IStageState | undefined>(key => this.editor.states?.stage(key));
  /** How a stage stands beside what is live, in a few words; empty as long as that is not known. */
  readonly standings = new Keyed<string>(key => {
    const { deployment, trans } = this.editor;
    const status = deployment.ofStage(key);
    return status === null ? '' : statusText(deployment, status, trans);
  });
  /** When a live job is due next. */
  readonly dues = new Keyed<string | null>(key => this.editor.deployment.nextDue(key));
  /** By `kind:key`: who else has something selected. */
  readonly people = new Keyed<readonly IPerson[]>(id => this._people.get(id) ?? NOBODY);
  readonly counts = new Keyed<number | undefined>(key => this.editor.states?.transition(key)?.items);
  /** By `kind:key`. */
  readonly selected = new Keyed<boolean>(id => this._selected.has(id));
  /** The one thing that Tab goes to, by `kind:key`. */
  readonly tabStop = new Keyed<boolean>(id => this._tabStop === id);
  /** Arrows in and out of a stage, as `in/out`. */
  readonly links = new Keyed<string>(key => this._linksOf(key));
  /** How a card stands to the arrow that is being drawn: `aim`, `refuse`, or nothing. */
  readonly aims = new Keyed<string>(key => this._aims.get(key) ?? '');
  /** Why a card cannot be connected. */
  setAims(aims: ReadonlyMap<string, string>): void {
    this._aims = aims;
    this.aims.refresh();
  }

  /** By `kind:key`: the elements that are placed. */
  readonly nodeElements = new Map<string, HTMLElement>();
  readonly arrowElements = new Map<string, IArrowElement>();
  readonly labelElements = new Map<string, HTMLElement>();

  /** The element of the canvas. */
  root: HTMLElement | null = null;
  flow: ReactFlowInstance | null = null;

  /** Width and height of the canvas on the page, known without asking the browser for its layout. */
  size: Point = [0, 0];

  setFlow(flow: ReactFlowInstance | null): void {
    this.flow = flow;
  }

  get viewport(): Viewport {
    return this._viewport;
  }

  get readOnly(): boolean {
    return this.editor.readOnly;
  }

  // --- pointing ---

  /** Where the pointer was last on the page; where that is in the document is found out when it is asked for. */
  pointed: { readonly clientX: number; readonly clientY: number } | null = null;

  get pointer(): Point | null {
    return this.pointed === null ? null : this.toDocument(this.pointed.clientX, this.pointed.clientY);
  }

  toDocument(clientX: number, clientY: number): Point {
    const bounds = this.root?.getBoundingClientRect();
    const { x, y, zoom } = this.viewport;
    return [(clientX - (bounds?.left ?? 0) - x) / zoom, (clientY - (bounds?.top ?? 0) - y) / zoom];
  }

  /** Place in the canvas's element of a point of the document. */
  toElement([left, top]: Point): Point {
    const { x, y, zoom } = this.viewport;
    return [left * zoom + x, top * zoom + y];
  }

  center(): Point {
    const bounds = this.root?.getBoundingClientRect();
    return bounds === undefined
      ? [0, 0]
      : this.toDocument(bounds.left + bounds.width / 2, bounds.top + bounds.height / 2);
  }

  /** The arrow that shows what can be done with it: the one that is pointed at, else the one with the focus. */
  get lively(): string | null {
    return this._hovered ?? this._focused;
  }
  /** The card that shows its handles because it is pointed at. */
  get livelyStage(): string | null {
    return this._hoveredStage;
  }

  /** Whether the pointer is held for something, so that nothing else is offered. */
  get busy(): boolean {
    return this._busy;
  }
  setBusy(busy: boolean): void {
    if (busy !== this._busy) {
      this._busy = busy;
      this._busyChanged.emit();
    }
  }
  get busyChanged(): ISignal<this, void> {
    return this._busyChanged;
  }

  get livelyChanged(): ISignal<this, void> {
    return this._livelyChanged;
  }

  hover(transition: string | null, stage: string | null = null): void {
    if (transition !== this._hovered || stage !== this._hoveredStage) {
      this._hovered = transition;
      this._hoveredStage = stage;
      this._livelyChanged.emit();
    }
  }

  focusArrow(transition: string | null): void {
    if (transition !== this._focused) {
      this._focused = transition;
      this._livelyChanged.emit();
    }
  }

  get viewportMoved(): ISignal<this, Viewport> {
    return this._viewportMoved;
  }
  moved(viewport: Viewport): void {
    this._viewport = viewport;
    this._viewportMoved.emit(viewport);
  }

  isSelected(kind: string, key: string): boolean {
    return this._selected.has(idOf(kind, key));
  }

  // --- focus ---

  setTabStop(id: string | null): void {
    const old = this._tabStop;
    if (old !== id) {
      this._tabStop = id;
      this.tabStop.refresh([old, id].filter(one => one !== null));
    }
  }

  get tabStopId(): string | null {
    return this._tabStop;
  }

  /** The element of something that can have the focus. */
  element(item: IReference): HTMLElement | SVGElement | null {
    const name = { stages: 'stage', transitions: 'transition', notes: 'note', groups: 'group' }[item.kind];
    return this.root?.querySelector<HTMLElement>(`[data-${name}="${CSS.escape(item.key)}"]`) ?? null;
  }

  focus(item: IReference): void {
    this.setTabStop(idOf(item.kind, item.key));
    this.element(item)?.focus({ preventScroll: true });
  }

  /** Take note of the element that shows something. */
  register(id: string, element: HTMLElement | null): void {
    const node = element?.closest<HTMLElement>('.react-flow__node');
    if (node) {
      this.nodeElements.set(id, node);
    } else {
      this.nodeElements.delete(id);
    }
  }

  // --- asking for a new stage ---

  /** Where what is dragged onto the canvas would lie. */
  get dropAt(): Point | null {
    return this._dropAt;
  }
  setDropAt(point: Point | null): void {
    if (point?.[0] !== this._dropAt?.[0] || point?.[1] !== this._dropAt?.[1]) {
      this._dropAt = point;
      this._dropMoved.emit();
    }
  }
  get dropMoved(): ISignal<this, void> {
    return this._dropMoved;
  }

  get addRequest(): IAddRequest | null {
    return this._addRequest;
  }
  requestAdd(request: IAddRequest | null): void {
    if (request !== null && this.readOnly) {
      return;
    }
    this._addRequest = request;
    this._addRequested.emit();
  }
  get addRequested(): ISignal<this, void> {
    return this._addRequested;
  }

  // --- notes being written ---

  get editing(): string | null {
    return this._editing;
  }
  /** Write in a note, or a group's title, in place; by `kind:key`. */
  edit(id: string | null): void {
    const old = this._editing;
    if (old !== id && !(id !== null && this.readOnly)) {
      this._editing = id;
      this.edited.refresh([old, id].filter(one => one !== null));
    }
  }
  readonly edited = new Keyed<boolean>(id => this._editing === id);

  // --- telling ---

  /** Tell those who do not see the canvas. */
  say(message: string): void {
    this._said.emit(message);
  }
  get said(): ISignal<this, string> {
    return this._said;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    const { editor } = this;
    editor.document.changed.disconnect(this._onDocument, this);
    editor.selection.changed.disconnect(this._onSelection, this);
    editor.findings.changed.disconnect(this._onFindings, this);
    editor.statesChanged.disconnect(this._onStates, this);
    editor.deployment.changed.disconnect(this._onDeployment, this);
    editor.presence.changed.disconnect(this._onPresence, this);
    this._states?.changed.disconnect(this._onState, this);
    Signal.clearData(this);
  }

  private _onDocument(_: YWorkflow, change: WorkflowChange): void {
    if (change.snapshotChange === undefined) {
      return;
    }
    this.graph.update(change.snapshotChange.new);
    if (change.snapshotChange.old.transitions !== change.snapshotChange.new.transitions) {
      this.links.refresh();
    }
    this._keepFocus();
  }

  /** Keep the keyboard on the canvas when what has the focus is about to go: the next key would be for nobody. */
  private _keepFocus(): void {
    const active = document.activeElement;
    if (active === null || active === this.root || !this.root?.contains(active)) {
      return;
    }
    const item = itemOf(active);
    if (item === null) {
      return;
    }
    const { kind, key } = item;
    const drawn = kind === 'transitions' ? this.graph.arrow(key) : this.graph.boxOf(idOf(kind, key));
    if (drawn === undefined) {
      this.root.focus({ preventScroll: true });
    }
  }

  private _onSelection(): void {
    this._indexSelection();
    this.selected.refresh();
    const { only } = this.editor.selection;
    if (only !== null) {
      this.setTabStop(idOf(only.kind, only.key));
    }
  }

  private _indexSelection(): void {
    this._selected = new Set(this.editor.selection.items.map(({ kind, key }) => idOf(kind, key)));
  }

  private _onFindings(): void {
    this.stageFindings.refresh();
    this.transitionFindings.refresh();
  }

  private _onStates(): void {
    this._states?.changed.disconnect(this._onState, this);
    this._states = this.editor.states;
    this._states?.changed.connect(this._onState, this);
    this._onState();
  }

  private _onState(): void {
    this.states.refresh();
    this.counts.refresh();
  }

  private _onDeployment(): void {
    this.standings.refresh();
    this.dues.refresh();
  }

  private _onPresence(): void {
    const people = new Map<string, IPerson[]>();
    for (const person of this.editor.presence.others) {
      for (const { kind, key } of person.selection) {
        const id = idOf(kind, key);
        people.set(id, [...(people.get(id) ?? []), person]);
      }
    }
    const changed = new Set([...people.keys(), ...this._people.keys()]);
    this._people = people;
    this.people.refresh(changed);
  }

  private _linksOf(key: string): string {
    let into = 0;
    let out = 0;
    for (const { transition } of this.graph.arrowsOf(key)) {
      into += Number(transition.target === key);
      out += Number(transition.source === key);
    }
    return `${into}/${out}`;
  }

  private _selected: ReadonlySet<string> = new Set();
  private _people: ReadonlyMap<string, readonly IPerson[]> = new Map();
  private _tabStop: string | null = null;
  private _aims: ReadonlyMap<string, string> = new Map();
  private _hovered: string | null = null;
  private _hoveredStage: string | null = null;
  private _busy = false;
  private _busyChanged = new Signal<this, void>(this);
  private _focused: string | null = null;
  private _viewport: Viewport = { x: 0, y: 0, zoom: 1 };
  private _dropAt: Point | null = null;
  private _dropMoved = new Signal<this, void>(this);
  private _editing: string | null = null;
  private _addRequest: IAddRequest | null = null;
  private _states: IRunStates | null = null;
  private _isDisposed = false;
  private _livelyChanged = new Signal<this, void>(this);
  private _viewportMoved = new Signal<this, Viewport>(this);
  private _addRequested = new Signal<this, void>(this);
  private _said = new Signal<this, string>(this);
}
