/**
 * Values of stage data as they are shown.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

/** A value that lies outside the JSON. */
export interface IArtifactValue {
  readonly kind: 'artifact';
  readonly type: 'dataframe' | 'array' | 'bytes' | 'file' | 'json';
  readonly hash: string;
  readonly size: number;
  readonly format?: string;
  readonly library?: string | null;
  readonly shape?: readonly number[] | null;
  readonly name?: string | null;
}

export function isArtifact(value: unknown): value is IArtifactValue {
  const one = value as Partial<IArtifactValue> | null;
  return typeof value === 'object' && one !== null && one.kind === 'artifact' && typeof one.hash === 'string';
}

/** A value with a type that JSON does not have, such as a date. */
export function isTagged(value: unknown): value is { kind: string; value: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'value' in value &&
    Object.keys(value).every(name => name === 'kind' || name === 'value' || name === 'zone')
  );
}

/** Return how Python code reads the value at a path. */
export function pathOf(parts: readonly (string | number)[]): string {
  return `stage${parts.map(part => `[${JSON.stringify(part)}]`).join('')}`;
}

export function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Return a few words for an artifact, such as `pandas DataFrame, 3 × 2`. */
export function describe(value: IArtifactValue, trans: TranslationBundle): string {
  const shape = value.shape?.length ? `, ${value.shape.join(' × ')}` : '';
  switch (value.type) {
    case 'dataframe':
      return `${value.library === 'pyarrow' ? 'pyarrow Table' : `${value.library ?? ''} DataFrame`.trim()}${shape}`;
    case 'array':
      return `${trans.__('NumPy array')}${shape}`;
    case 'file':
      return `${value.name ?? trans.__('file')}, ${sizeOf(value.size)}`;
    case 'json':
      return trans.__('long value, %1', sizeOf(value.size));
    default:
      return trans.__('bytes, %1', sizeOf(value.size));
  }
}
