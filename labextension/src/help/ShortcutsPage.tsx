/**
 * The page of shortcuts, made of the bindings as they are set. Loaded when somebody looks at it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

class ShortcutsPage extends ReactWidget {
  constructor(
    private readonly _commands: CommandRegistry,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workflows-page');
    _commands.keyBindingChanged.connect(this._onChanged, this);
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._commands.keyBindingChanged.disconnect(this._onChanged, this);
    super.dispose();
  }

  protected render(): ReactElement {
    const trans = this._trans;
    const rows = shortcuts(this._commands);
    return (
      <>
        <h2>{trans.__('Shortcuts of workflows')}</h2>
        <p className="jp-Workflows-hint">
          {trans.__(
            'They work while the canvas has the keyboard. Change them in Settings, Keyboard Shortcuts.'
          )}
        </p>
        <table className="jp-Workflows-table" aria-label={trans.__('Shortcuts')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('What it does')}</th>
              <th scope="col">{trans.__('Keys')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ label, keys }) => (
              <tr key={label}>
                <td>{label}</td>
                <td>
                  {keys.map(one => (
                    <kbd key={one}>{one}</kbd>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p>{trans.__('No keys are set.')}</p>}
      </>
    );
  }

  private _onChanged(): void {
    this.update();
  }
}

/** Return what the keys of workflows do, by what they are called. */
export function shortcuts(commands: CommandRegistry): { label: string; keys: string[] }[] {
  const found = new Map<string, Set<string>>();
  for (const { args, command, keys, selector } of commands.keyBindings) {
    if (
      (command.startsWith('workflows:') || selector.includes('jp-Workflows')) &&
      commands.hasCommand(command)
    ) {
      const label = commands.label(command, args) || commands.caption(command, args) || command;
      const texts = found.get(label) ?? new Set();
      found.set(label, texts.add(keys.map(key => CommandRegistry.formatKeystroke(key)).join(' ')));
    }
  }
  return [...found]
    .map(([label, keys]) => ({ label, keys: [...keys] }))
    .sort((one, other) => one.label.localeCompare(other.label));
}

export function createShortcutsPage(commands: CommandRegistry, trans: TranslationBundle): Widget {
  return new ShortcutsPage(commands, trans);
}
