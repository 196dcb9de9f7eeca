/**
 * Values by key, told to those who show just that key: with a thousand cards only those that change are drawn.
 */
import { useCallback, useSyncExternalStore } from 'react';

export class Keyed<T> {
  constructor(private readonly _read: (key: string) => T) {}

  /** The value of a key; the same object as long as nobody was told of another one. */
  get(key: string): T {
    if (!this._values.has(key)) {
      this._values.set(key, this._read(key));
    }
    return this._values.get(key) as T;
  }

  /** Read again; tells those whose value is another one. */
  refresh(keys: Iterable<string> = [...this._values.keys()]): void {
    const changed: string[] = [];
    for (const key of keys) {
      if (!this._values.has(key)) {
        continue;
      }
      const value = this._read(key);
      if (!Object.is(value, this._values.get(key))) {
        this._values.set(key, value);
        changed.push(key);
      }
    }
    for (const key of changed) {
      this._listeners.get(key)?.forEach(listener => listener());
    }
  }

  subscribe(key: string, listener: () => void): () => void {
    let listeners = this._listeners.get(key);
    if (listeners === undefined) {
      this._listeners.set(key, (listeners = new Set()));
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this._listeners.get(key) === listeners) {
        this._listeners.delete(key);
        this._values.delete(key);
      }
    };
  }

  private readonly _values = new Map<string, T>();
  private readonly _listeners = new Map<string, Set<() => void>>();
}

export function useKeyed<T>(values: Keyed<T>, key: string): T {
  const subscribe = useCallback((notify: () => void) => values.subscribe(key, notify), [values, key]);
  return useSyncExternalStore(subscribe, () => values.get(key));
}
