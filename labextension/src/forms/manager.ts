/**
 * A manager of ipywidgets for a kernel that belongs to no notebook.
 */
import { registerWidgetManager } from '@jupyter-widgets/jupyterlab-manager';
import type { WidgetModel, WidgetView } from '@jupyter-widgets/base';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Kernel } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

/** The part of jupyterlab-manager's widget managers that is used here. */
export interface IFormManager {
  has_model(model: string): boolean;
  get_model(model: string): Promise<WidgetModel>;
  create_view(model: WidgetModel): Promise<WidgetView & { readonly luminoWidget: Widget }>;
  _loadFromKernel(): Promise<void>;
}

type Register = typeof registerWidgetManager;

/**
 * Make a manager that knows all kinds of widgets that are installed.
 *
 * `registerWidgetManager` is the one exported way to them. It wants the context of a notebook, of which it uses no
 * more than this.
 */
export function makeManager(
  kernel: Kernel.IKernelConnection,
  rendermime: IRenderMimeRegistry
): { readonly manager: Promise<IFormManager>; dispose(): void } {
  const owner = {};
  const statusChanged = new Signal<object, Kernel.Status>(owner);
  const connectionStatusChanged = new Signal<object, Kernel.ConnectionStatus>(owner);
  kernel.statusChanged.connect((_, status) => statusChanged.emit(status));
  kernel.connectionStatusChanged.connect((_, status) => connectionStatusChanged.emit(status));
  const context = {
    path: '',
    saveState: new Signal(owner),
    sessionContext: {
      ready: Promise.resolve(),
      session: { kernel },
      kernelChanged: new Signal(owner),
      statusChanged,
      connectionStatusChanged
    },
    urlResolver: { resolveUrl: (url: string) => Promise.resolve(url) },
    model: { getMetadata: () => undefined, setMetadata: () => undefined }
  };
  let registration: ReturnType<Register> | undefined;
  const manager = new Promise<IFormManager>(resolve => {
    const probe = {
      set manager(made: IFormManager) {
        resolve(made);
      }
    };
    registration = registerWidgetManager(context as unknown as Parameters<Register>[0], rendermime, [
      probe
    ] as unknown as Parameters<Register>[2]);
  });
  return {
    manager,
    dispose: () => {
      registration?.dispose();
      Signal.clearData(owner);
    }
  };
}
