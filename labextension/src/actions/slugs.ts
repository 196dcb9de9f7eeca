/**
 * Slugs: the paths of stages in code and URLs. `jupyter_workflows/model/slugs.py` makes the same.
 */
import type { Collection } from '../document/types';

/** Letters that do not decompose into a base letter and marks. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  ħ: 'h'
};

/** What a stage's path looks like. */
export const SLUG = /^[a-z0-9-]+$/;

/** Return a title as path: lower-case ASCII letters, digits and single hyphens. */
export function slug(title: string, fallback = 'stage'): string {
  const folded = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[ßæœøđðþłıħ]/g, letter => LETTERS[letter]);
  return (
    folded
      .replace(/\p{M}/gu, '')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || fallback
  );
}

/** Return a text with a number at its end if it is taken: `Form`, `Form 2`; `form`, `form-2`. */
export function unique(base: string, taken: (candidate: string) => boolean, separator = '-'): string {
  let candidate = base;
  for (let number = 2; taken(candidate); number++) {
    candidate = `${base}${separator}${number}`;
  }
  return candidate;
}

/** Return the paths that stages have, without that of one of them. */
export function pathsOf(stages: Collection<'stages'>, except?: string): Set<string> {
  return new Set(
    Object.entries(stages)
      .filter(([key]) => key !== except)
      .map(([, stage]) => stage.path)
  );
}
