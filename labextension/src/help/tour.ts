/**
 * A tour of five steps. It stands beside what it tells of, and leaves everything usable.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { WorkflowDocument } from '../document/widget';

interface IStep {
  /** What it tells of: the first of these that is there. */
  readonly at: readonly string[];
  readonly title: string;
  readonly text: string;
}

function steps(trans: TranslationBundle): readonly IStep[] {
  return [
    {
      at: ['.jp-Workflows-paletteArea', '.jp-Workflows-palette'],
      title: trans.__('Four types of stages'),
      text: trans.__(
        'Each stage is a notebook. A form asks a person, a hook answers a request, a job has a schedule, a script runs in its turn. Drag one onto the canvas, or press F, H, J or S.'
      )
    },
    {
      at: ['.jp-Workflows [data-stage]', '.jp-Workflows .react-flow', '.jp-Workflows-canvasArea'],
      title: trans.__('Join them'),
      text: trans.__(
        'Select a stage, press T, and pull the arrow to the next one. Conditions, failures and loops are arrows, too.'
      )
    },
    {
      at: ['.jp-Workflows-optionsArea:not(.lm-mod-hidden)', '.jp-Workflows-canvasArea'],
      title: trans.__('Options and the notebook'),
      text: trans.__(
        'A double-click on a stage opens its options: schedule, address, assignee, retries. From there you open its notebook.'
      )
    },
    {
      at: ['.jp-Toolbar [data-command="workflows:test-workflow"]', '.jp-Workflows-canvasArea'],
      title: trans.__('Test it'),
      text: trans.__(
        'A test runs your working copy with the answers and data that you gave for tests. The cards show what happens; nobody gets mail.'
      )
    },
    {
      at: ['.jp-Workflows-deploy'],
      title: trans.__('Make it live'),
      text: trans.__(
        'Deploy makes a version of the project live: from then on its hooks answer and its jobs start by themselves. You can always go back to an older version.'
      )
    }
  ];
}

let current: (() => void) | null = null;

/** Begin the tour; `seen` is called when it is finished or skipped. */
export function startTour(widget: WorkflowDocument, trans: TranslationBundle, seen: () => void): void {
  current?.();
  const all = steps(trans);
  const before = document.activeElement as HTMLElement | null;
  const card = document.createElement('div');
  card.className = 'jp-Workflows-tour';
  card.setAttribute('role', 'dialog');
  card.setAttribute('aria-modal', 'false');
  card.setAttribute('aria-labelledby', 'jp-Workflows-tourTitle');
  card.setAttribute('aria-describedby', 'jp-Workflows-tourText');
  let step = 0;

  const end = (): void => {
    if (current !== end) {
      return;
    }
    current = null;
    card.remove();
    window.removeEventListener('resize', place);
    widget.disposed.disconnect(end);
    seen();
    before?.focus({ preventScroll: true });
  };

  const place = (): void => {
    const target = all[step].at
      .map(selector => widget.node.querySelector(selector))
      .find(node => node !== null && node.getClientRects().length > 0);
    const area = (target ?? widget.node).getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = card;
    const gap = 12;
    const beside = area.right + gap + width <= window.innerWidth;
    const left = beside ? area.right + gap : Math.min(area.left, window.innerWidth - width - gap);
    const below = beside ? area.top : area.bottom + gap;
    const top = below + height + gap <= window.innerHeight ? below : window.innerHeight - height - 3 * gap;
    card.style.left = `${Math.max(gap, left)}px`;
    card.style.top = `${Math.max(gap, top)}px`;
  };

  const show = (next: number): void => {
    step = next;
    const { title, text } = all[step];
    const last = step === all.length - 1;
    card.replaceChildren(
      element('div', 'jp-Workflows-tourCount', trans.__('%1 of %2', step + 1, all.length)),
      element('h2', '', title, 'jp-Workflows-tourTitle'),
      element('p', '', text, 'jp-Workflows-tourText')
    );
    const buttons = element('div', 'jp-Workflows-tourButtons');
    if (!last) {
      buttons.append(button(trans.__('Skip'), end));
    }
    if (step > 0) {
      buttons.append(button(trans.__('Back'), () => show(step - 1)));
    }
    const forward = button(last ? trans.__('Done') : trans.__('Next'), last ? end : () => show(step + 1));
    forward.classList.add('jp-mod-accept');
    buttons.append(forward);
    card.append(buttons);
    place();
    forward.focus({ preventScroll: true });
  };

  card.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      end();
    }
    event.stopPropagation();
  });
  current = end;
  document.body.append(card);
  window.addEventListener('resize', place);
  widget.disposed.connect(end);
  show(0);
}

function element(tag: string, className: string, text = '', id = ''): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  if (id !== '') {
    made.id = id;
  }
  return made;
}

function button(label: string, act: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'jp-Workflows-button';
  made.textContent = label;
  made.addEventListener('click', act);
  return made;
}
