/**
 * Keys of stages, transitions, notes and groups: opaque, and never changed.
 */

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const CHARACTERS = LETTERS + '0123456789';

/** Return a random key that is not taken. */
export function newKey(taken: Readonly<Record<string, unknown>> | ReadonlySet<string>): string {
  const has = (key: string): boolean => (taken instanceof Set ? taken.has(key) : Object.hasOwn(taken, key));
  for (;;) {
    const numbers = crypto.getRandomValues(new Uint32Array(6));
    const key = [...numbers]
      .map((number, i) => (i === 0 ? LETTERS : CHARACTERS)[number % (i === 0 ? 26 : 36)])
      .join('');
    if (!has(key)) {
      return key;
    }
  }
}
