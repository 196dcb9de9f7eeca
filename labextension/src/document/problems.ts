/**
 * What is wrong with a file, in sentences.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { FORMAT, STAGE_TYPES } from './types';
import type { IFileProblem } from './types';

/** Say what is wrong with a file. */
export function explain(problem: Pick<IFileProblem, 'code' | 'values'>, trans: TranslationBundle): string {
  const [value = ''] = problem.values;
  switch (problem.code) {
    case 'syntax':
      return syntax(value, trans);
    case 'duplicate-key':
      return trans.__('The key "%1" appears twice in one object.', value);
    case 'too-deep':
      return trans.__('It is nested more than %1 levels deep.', value);
    case 'too-large':
      return trans.__('The number %1 is too large.', value);
    case 'not-object':
      return trans.__('It has to be an object: { … }.');
    case 'missing-format':
      return trans.__(
        'It does not say in which format it is. If it is a workflow, add "format": %1.',
        FORMAT
      );
    case 'bad-format':
      return trans.__('The format has to be a number from 0 to %1.', FORMAT);
    case 'newer-format':
      return trans.__(
        'It has format %1, which a newer version of Jupyter Workflows wrote. This version knows formats up to %2.',
        value,
        FORMAT
      );
    case 'stage-type':
      return value === ''
        ? trans.__('The stage has no type. It has to be one of: %1.', STAGE_TYPES.join(', '))
        : trans.__('%1 is not a type of stage. It has to be one of: %2.', value, STAGE_TYPES.join(', '));
    case 'transition-end':
      return trans.__('A transition has to name the stage where it begins and the one where it ends.');
    case 'list-of-objects':
      return trans.__(
        'In format 0 it has to be a list of objects. In a newer document, say "format": %1.',
        FORMAT
      );
    case 'stage-id':
      return trans.__('The stage has no id.');
    case 'stage-id-twice':
      return trans.__('Another stage has the same id.');
    case 'unknown':
      return trans.__('The server cannot read it.');
  }
}

function syntax(name: string, trans: TranslationBundle): string {
  switch (name) {
    case 'PropertyNameExpected':
      return trans.__('A name in double quotes is expected here. After the last entry there is no comma.');
    case 'ValueExpected':
      return trans.__('A value is expected here.');
    case 'ColonExpected':
      return trans.__('A colon is missing here.');
    case 'CommaExpected':
      return trans.__('A comma is missing here.');
    case 'CloseBraceExpected':
      return trans.__('A closing brace } is missing here.');
    case 'CloseBracketExpected':
      return trans.__('A closing bracket ] is missing here.');
    case 'EndOfFileExpected':
      return trans.__('There is more after the end of the document.');
    case 'InvalidCommentToken':
      return trans.__('There are no comments in JSON.');
    case 'UnexpectedEndOfString':
      return trans.__('The text that begins here has no closing quotes on its line.');
    case 'InvalidEscapeCharacter':
    case 'InvalidUnicode':
      return trans.__('In this text a backslash is followed by something that it does not go with.');
    case 'InvalidCharacter':
      return trans.__('In this text there is a character that has to be escaped.');
    case 'InvalidNumberFormat':
    case 'UnexpectedEndOfNumber':
      return trans.__('This is not a number as JSON writes it.');
    default:
      return trans.__('This is not JSON.');
  }
}
