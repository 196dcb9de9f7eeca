/**
 * From elements of the page to what they show.
 */
import type { Kind } from '../document/types';
import type { IReference } from '../editor/selection';

/** Kinds by the name of the attribute that an element of theirs has. */
const KIND_OF: Readonly<Record<string, Kind>> = {
  stage: 'stages',
  transition: 'transitions',
  label: 'transitions',
  note: 'notes',
  group: 'groups'
};

export const SELECTOR = Object.keys(KIND_OF)
  .map(name => `[data-${name}]`)
  .join(',');

/** Return what an element of the page shows. */
export function itemOf(target: Element): IReference | null {
  const element = target.closest<HTMLElement>(SELECTOR);
  if (element === null) {
    return null;
  }
  for (const [name, kind] of Object.entries(KIND_OF)) {
    const key = element.dataset[name];
    if (key !== undefined) {
      return { kind, key };
    }
  }
  return null;
}

/** Whether an element is the ground, on which nothing lies. */
export function isGround(target: Element): boolean {
  return target.classList.contains('react-flow__pane');
}
