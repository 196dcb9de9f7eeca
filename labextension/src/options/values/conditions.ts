/**
 * Conditions as rows of field, operator and value, and as the expression that a document holds.
 *
 * Rows show the plain expressions only: comparisons joined by `and` and `or`, without brackets. All others are
 * edited as text; the server says what is wrong with them.
 */

/** What a field is compared with. */
export type Value =
  | { readonly kind: 'text'; readonly text: string }
  /** A number as it is written, so that none is rounded. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'truth'; readonly value: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'field'; readonly field: string }
  | { readonly kind: 'list'; readonly items: readonly Literal[] };
export type ValueKind = Value['kind'];
export type Literal = Extract<Value, { kind: 'text' | 'number' | 'truth' | 'nothing' }>;

export const COMPARISONS = ['==', '!=', '>', '>=', '<', '<='] as const;
export type Operator =
  | (typeof COMPARISONS)[number]
  | 'one-of'
  | 'not-one-of'
  | 'contains'
  | 'contains-not'
  | 'starts'
  | 'true'
  | 'false';

export const OPERATORS: readonly Operator[] = [
  ...COMPARISONS,
  'one-of',
  'not-one-of',
  'contains',
  'contains-not',
  'starts',
  'true',
  'false'
];

export interface IRow {
  /** A name, or a place such as `order.lines[0]`. */
  readonly field: string;
  readonly operator: Operator;
  /** `null` where the operator takes none. */
  readonly value: Value | null;
}

/** Rows; `joins[i]` stands between row i and the next, and `and` binds stronger, as in the expression. */
export interface IRows {
  readonly rows: readonly IRow[];
  readonly joins: readonly ('and' | 'or')[];
}

export function takesValue(operator: Operator): boolean {
  return operator !== 'true' && operator !== 'false';
}

const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.])/uy;
const SYMBOL = /==|!=|>=|<=|[<>()[\],.-]/y;
const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);
/** The functions of conditions. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  'abs',
  'len',
  'lower',
  'max',
  'min',
  'startswith',
  'upper'
]);
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '"': '"'
};

type Token =
  | { readonly type: 'word' | 'number' | 'symbol' | 'end'; readonly text: string }
  | { readonly type: 'text'; readonly text: string };

/** The expression is none that rows can show. */
class NotRows extends Error {}

/** Return the rows of an expression; `null` if rows cannot show it. */
export function toRows(expression: string): IRows | null {
  if (expression.trim() === '') {
    return { rows: [], joins: [] };
  }
  try {
    return new Parser(tokens(expression)).rows();
  } catch (error) {
    if (error instanceof NotRows) {
      return null;
    }
    throw error;
  }
}

/** Return the expression that rows say. */
export function toExpression({ rows, joins }: IRows): string {
  return rows.map((row, i) => (i === 0 ? '' : ` ${joins[i - 1] ?? 'and'} `) + rowText(row)).join('');
}

function rowText({ field, operator, value }: IRow): string {
  switch (operator) {
    case 'true':
      return field;
    case 'false':
      return `not ${field}`;
    case 'one-of':
      return `${field} in ${written(value)}`;
    case 'not-one-of':
      return `${field} not in ${written(value)}`;
    case 'contains':
      return `${written(value)} in ${field}`;
    case 'contains-not':
      return `${written(value)} not in ${field}`;
    case 'starts':
      return `startswith(${field}, ${written(value)})`;
    default:
      if (value?.kind === 'nothing' && (operator === '==' || operator === '!=')) {
        return `${field} ${operator === '==' ? 'is' : 'is not'} None`;
      }
      return `${field} ${operator} ${written(value)}`;
  }
}

function written(value: Value | null): string {
  switch (value?.kind) {
    case 'text':
      return JSON.stringify(value.text);
    case 'number':
      return value.text;
    case 'truth':
      return value.value ? 'True' : 'False';
    case 'field':
      return value.field;
    case 'list':
      return `[${value.items.map(written).join(', ')}]`;
    default:
      return 'None';
  }
}

/** Return why a row says nothing yet; `null` if it is complete. */
export function incomplete(row: IRow): 'field' | 'value' | null {
  if (fieldOf(row.field) === null) {
    return 'field';
  }
  const { value } = row;
  if (!takesValue(row.operator) || value === null) {
    return takesValue(row.operator) ? 'value' : null;
  }
  switch (value.kind) {
    case 'number':
      return isNumber(value.text) ? null : 'value';
    case 'field':
      return fieldOf(value.field) === null ? 'value' : null;
    case 'list':
      return value.items.length === 0 ? 'value' : null;
    default:
      return null;
  }
}

/** Return a name, or a place such as `order.total`, as rows write it; `null` if it is neither. */
export function fieldOf(text: string): string | null {
  try {
    const parser = new Parser(tokens(text));
    const field = parser.field();
    return parser.atEnd ? field : null;
  } catch {
    return null;
  }
}

export function isNumber(text: string): boolean {
  NUMBER.lastIndex = text.startsWith('-') ? 1 : 0;
  const match = NUMBER.exec(text);
  return match !== null && NUMBER.lastIndex === text.length && !/^-?0\d/.test(text);
}

/** Read a value that was typed as a literal: a number, True, False, None; all else is a text. */
export function literal(text: string): Literal {
  const plain = text.trim();
  if (isNumber(plain)) {
    return { kind: 'number', text: plain };
  }
  if (/^(?:true|false)$/i.test(plain)) {
    return { kind: 'truth', value: plain.toLowerCase() === 'true' };
  }
  if (plain === 'None') {
    return { kind: 'nothing' };
  }
  const quoted = /^(["']).*\1$/s.test(plain) ? toRows(`x == ${plain}`)?.rows[0]?.value : undefined;
  return quoted?.kind === 'text' ? quoted : { kind: 'text', text: plain };
}

/** Write a literal so that `literal` reads it again. */
export function writeLiteral(value: Literal): string {
  if (value.kind !== 'text') {
    return written(value);
  }
  const read = literal(value.text);
  return read.kind === 'text' && read.text === value.text ? value.text : JSON.stringify(value.text);
}

/** Read what was typed as a list: literals with commas between them; a comma within quotes belongs to its text. */
export function readList(text: string): readonly Literal[] {
  const parts = text.match(/\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^,]*)\s*(?:,|$)/gs) ?? [];
  return parts
    .map(part => part.replace(/,\s*$/, '').trim())
    .filter(part => part !== '')
    .map(literal);
}

export function writeList(items: readonly Literal[]): string {
  return items
    .map(item => {
      const text = writeLiteral(item);
      return item.kind === 'text' && (text === '' || (text === item.text && /[,"']/.test(text)))
        ? JSON.stringify(item.text)
        : text;
    })
    .join(', ');
}

/** The names of stage data that an expression uses, each once. What cannot be read has none. */
export function namesIn(expression: string): readonly string[] {
  let all: readonly Token[];
  try {
    all = tokens(expression, true);
  } catch {
    return [];
  }
  const names = all
    .filter((token, i) => {
      const called = all[i + 1]?.type === 'symbol' && all[i + 1].text === '(' && FUNCTIONS.has(token.text);
      const item = all[i - 1]?.type === 'symbol' && all[i - 1].text === '.';
      return token.type === 'word' && !KEYWORDS.has(token.text) && !called && !item;
    })
    .map(token => token.text);
  return [...new Set(names)];
}

function tokens(source: string, lenient = false): readonly Token[] {
  const found: Token[] = [];
  let place = 0;
  while (place < source.length) {
    const char = source[place];
    if (/\s/.test(char)) {
      place++;
    } else if (char === '"' || char === "'") {
      const [text, end] = quoted(source, place);
      found.push({ type: 'text', text });
      place = end;
    } else {
      const token = ([WORD, NUMBER, SYMBOL] as const)
        .map((pattern, i) => {
          pattern.lastIndex = place;
          return { match: pattern.exec(source), type: (['word', 'number', 'symbol'] as const)[i] };
        })
        .find(one => one.match !== null);
      if (token !== undefined) {
        found.push({ type: token.type, text: token.match![0] });
        place += token.match![0].length;
      } else if (lenient) {
        found.push({ type: 'symbol', text: char });
        place++;
      } else {
        throw new NotRows();
      }
    }
  }
  return [...found, { type: 'end', text: '' }];
}

/** Return the text that begins at a quote, and the place behind it. */
function quoted(source: string, start: number): [string, number] {
  const quote = source[start];
  let text = '';
  for (let place = start + 1; place < source.length; place++) {
    const char = source[place];
    if (char === quote) {
      return [text, place + 1];
    }
    if (char === '\n') {
      break;
    }
    if (char !== '\\') {
      text += char;
      continue;
    }
    const next = source[++place] ?? '';
    const digits = next === 'u' ? 4 : next === 'x' ? 2 : 0;
    const code = source.slice(place + 1, place + 1 + digits);
    if (digits > 0 && /^[0-9a-fA-F]+$/.test(code) && code.length === digits) {
      text += String.fromCharCode(parseInt(code, 16));
      place += digits;
    } else if (next in ESCAPES && !(next === '0' && /[0-7]/.test(source[place + 1] ?? ''))) {
      text += ESCAPES[next];
    } else {
      // Rows would write it in another way.
      throw new NotRows();
    }
  }
  throw new NotRows();
}

type Operand = { readonly field: string } | { readonly value: Value };

const FLIPPED: Readonly<Record<string, Operator>> = {
  '==': '==',
  '!=': '!=',
  '>': '<',
  '>=': '<=',
  '<': '>',
  '<=': '>='
};

class Parser {
  constructor(private readonly _tokens: readonly Token[]) {}

  get atEnd(): boolean {
    return this._next.type === 'end';
  }

  rows(): IRows {
    const rows = [this._row()];
    const joins: ('and' | 'or')[] = [];
    while (!this.atEnd) {
      const join = this._take();
      if (join.type !== 'word' || (join.text !== 'and' && join.text !== 'or')) {
        throw new NotRows();
      }
      joins.push(join.text);
      rows.push(this._row());
    }
    return { rows, joins };
  }

  field(): string {
    const first = this._take();
    if (first.type !== 'word' || KEYWORDS.has(first.text)) {
      throw new NotRows();
    }
    let text = first.text;
    for (;;) {
      if (this._skip('.')) {
        const name = this._take();
        if (name.type !== 'word' || KEYWORDS.has(name.text)) {
          throw new NotRows();
        }
        text += `.${name.text}`;
      } else if (this._skip('[')) {
        const item = this._take();
        if (item.type === 'text') {
          text += `[${JSON.stringify(item.text)}]`;
        } else if (item.type === 'number' && /^(?:0|[1-9]\d*)$/.test(item.text)) {
          text += `[${item.text}]`;
        } else {
          throw new NotRows();
        }
        this._expect(']');
      } else {
        return text;
      }
    }
  }

  private _row(): IRow {
    if (this._skip('not')) {
      return { field: this.field(), operator: 'false', value: null };
    }
    if (this._next.text === 'startswith' && this._tokens[this._place + 1]?.text === '(') {
      this._place += 2;
      const field = this.field();
      this._expect(',');
      const value = this._operand();
      this._expect(')');
      return { field, operator: 'starts', value: asValue(value) };
    }
    const left = this._operand();
    const symbol = this._next;
    if (symbol.type === 'symbol' && symbol.text in FLIPPED) {
      this._place++;
      return this._comparison(left, symbol.text as Operator, this._operand());
    }
    if (this._skip('is')) {
      const operator = this._skip('not') ? '!=' : '==';
      this._expect('None');
      return { field: asField(left), operator, value: { kind: 'nothing' } };
    }
    const negated = this._skip('not');
    if (this._skip('in')) {
      const right = this._operand();
      if ('value' in left && left.value.kind !== 'list') {
        return { field: asField(right), operator: negated ? 'contains-not' : 'contains', value: left.value };
      }
      return { field: asField(left), operator: negated ? 'not-one-of' : 'one-of', value: asValue(right) };
    }
    if (negated) {
      throw new NotRows();
    }
    return { field: asField(left), operator: 'true', value: null };
  }

  private _comparison(left: Operand, operator: Operator, right: Operand): IRow {
    const row: IRow =
      'field' in left
        ? { field: left.field, operator, value: asValue(right) }
        : { field: asField(right), operator: FLIPPED[operator], value: left.value };
    // `x == None` means the same as `x is None`, but is written so only there.
    if (row.value?.kind === 'nothing') {
      throw new NotRows();
    }
    return row;
  }

  private _operand(): Operand {
    const token = this._next;
    if (token.type === 'text') {
      this._place++;
      return { value: { kind: 'text', text: token.text } };
    }
    if (token.type === 'number' || token.text === '-') {
      return { value: this._number() };
    }
    if (token.text === 'True' || token.text === 'False' || token.text === 'None') {
      return { value: this._literal() };
    }
    if (this._skip('[')) {
      const items: Literal[] = [];
      while (!this._skip(']')) {
        if (items.length > 0) {
          this._expect(',');
        }
        items.push(this._literal());
      }
      return { value: { kind: 'list', items } };
    }
    return { field: this.field() };
  }

  private _literal(): Literal {
    const token = this._next;
    if (token.type === 'number' || token.text === '-') {
      return this._number();
    }
    this._place++;
    if (token.type === 'text') {
      return { kind: 'text', text: token.text };
    }
    if (token.text === 'True' || token.text === 'False') {
      return { kind: 'truth', value: token.text === 'True' };
    }
    if (token.text === 'None') {
      return { kind: 'nothing' };
    }
    throw new NotRows();
  }

  private _number(): Literal {
    const sign = this._skip('-') ? '-' : '';
    const token = this._take();
    if (token.type !== 'number' || !isNumber(token.text)) {
      throw new NotRows();
    }
    return { kind: 'number', text: sign + token.text };
  }

  private get _next(): Token {
    return this._tokens[this._place];
  }

  private _take(): Token {
    const token = this._next;
    if (token.type === 'end') {
      throw new NotRows();
    }
    this._place++;
    return token;
  }

  private _skip(text: string): boolean {
    const found = this._next.type !== 'text' && this._next.text === text;
    if (found) {
      this._place++;
    }
    return found;
  }

  private _expect(text: string): void {
    if (!this._skip(text)) {
      throw new NotRows();
    }
  }

  private _place = 0;
}

function asField(operand: Operand): string {
  if ('field' in operand) {
    return operand.field;
  }
  throw new NotRows();
}

function asValue(operand: Operand): Value {
  return 'field' in operand ? { kind: 'field', field: operand.field } : operand.value;
}
