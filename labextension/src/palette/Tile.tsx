import type { ReactElement } from 'react';

import type { StageType } from '../document/types';
import { stageIcons } from '../icons';

/** The coloured square with the icon of a type. */
export function Tile({ type, size }: { type: StageType; size: 20 | 32 }): ReactElement {
  const Icon = stageIcons[type];
  const side = `${size === 32 ? 20 : 14}px`;
  return (
    <span className="jp-Workflows-paletteTile" data-type={type} data-size={size} aria-hidden="true">
      <Icon.react tag="span" width={side} height={side} />
    </span>
  );
}
