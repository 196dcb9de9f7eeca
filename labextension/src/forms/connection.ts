/**
 * The way to the kernel of a form: a websocket that lets through what concerns the form.
 */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { CommsOverSubshells, KernelConnection, ServerConnection } from '@jupyterlab/services';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { URLExt } from '@jupyterlab/coreutils';
import { UUID } from '@lumino/coreutils';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { makeManager } from './manager';
import type { IFormManager } from './manager';

/** Type of the messages in which a kernel describes its form. */
export const FORM_MIME = 'application/vnd.jupyter-workflows.form+json';

/** What a kernel says of its form. */
export interface IFormDescription {
  readonly form: string;
  /** `open`, `submitted`, `closed`; `saved` and `progress` come without the rest. */
  readonly state: string;
  readonly title: string;
  readonly root: string;
  readonly position: number;
  readonly revision: number;
  readonly models: readonly string[];
  readonly inputs: { readonly [model: string]: readonly string[] };
  /** Whether some of its widgets have to be asked for. */
  readonly load?: boolean;
  readonly reason?: string;
  /** While the notebook computes. */
  readonly text?: string;
  readonly fraction?: number | null;
}

/** A connection to the kernel of a form. It ends for good with its socket; then another one is made. */
export class FormConnection implements IDisposable {
  constructor(options: FormConnection.IOptions) {
    const settings = options.serverSettings;
    const address = URLExt.join(settings.wsUrl, 'workflows/forms', options.session, 'channels');
    this._kernel = new KernelConnection({
      // A manager of widgets is kept for each id, bound to its first connection: every one has an id of its own.
      model: { id: `form-${UUID.uuid4()}`, name: 'form' },
      handleComms: true,
      commsOverSubshells: CommsOverSubshells.Disabled,
      serverSettings: ServerConnection.makeSettings({
        ...settings,
        WebSocket: socketTo(address, settings)
      }),
      // A socket that closes is not opened again, and nobody asks the server for a kernel that is not its own.
      kernelAPIClient: { getModel: dead } as unknown as Kernel.IKernelAPIClient
    });
    this._kernel.iopubMessage.connect(this._onMessage, this);
    this._kernel.statusChanged.connect(this._onStatus, this);
    this._kernel.connectionStatusChanged.connect(this._onConnection, this);
    this._manager = makeManager(this._kernel, options.rendermime);
  }

  /** The kernel has described its form. */
  get described(): ISignal<this, IFormDescription> {
    return this._described;
  }

  /** The connection has ended. */
  get ended(): ISignal<this, void> {
    return this._ended;
  }

  get manager(): Promise<IFormManager> {
    return this._manager.manager;
  }

  get isDisposed(): boolean {
    return this._kernel.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._manager.dispose();
    this._kernel.dispose();
    Signal.clearData(this);
  }

  private _onMessage(_: unknown, message: KernelMessage.IIOPubMessage): void {
    const data = (message.content as { data?: JSONObject }).data;
    const description = data?.[FORM_MIME];
    if (description !== undefined && description !== null) {
      this._described.emit(description as unknown as IFormDescription);
    }
  }

  private _onStatus(_: unknown, status: Kernel.Status): void {
    if (status === 'dead') {
      this._end();
    }
  }

  private _onConnection(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') {
      this._wasConnected = true;
    } else if (this._wasConnected || status === 'disconnected') {
      this._end();
    }
  }

  private _end(): void {
    if (!this._hasEnded && !this.isDisposed) {
      this._hasEnded = true;
      this._ended.emit();
    }
  }

  private _kernel: KernelConnection;
  private _manager: { readonly manager: Promise<IFormManager>; dispose(): void };
  private _wasConnected = false;
  private _hasEnded = false;
  private _described = new Signal<this, IFormDescription>(this);
  private _ended = new Signal<this, void>(this);
}

export namespace FormConnection {
  export interface IOptions {
    readonly session: string;
    readonly serverSettings: ServerConnection.ISettings;
    readonly rendermime: IRenderMimeRegistry;
  }
}

/** A class of sockets that all lead to one address, whatever they are asked for. */
function socketTo(address: string, settings: ServerConnection.ISettings): typeof WebSocket {
  return class extends settings.WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(`${address}?${String(url).split('?')[1] ?? ''}`, protocols);
    }
  };
}

function dead(id: string): Promise<Kernel.IModel> {
  return Promise.resolve({ id, name: 'form', execution_state: 'dead' });
}
