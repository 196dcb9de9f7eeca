import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  COMPARISONS,
  fieldOf,
  incomplete,
  literal,
  namesIn,
  readList,
  toExpression,
  toRows,
  writeList,
  writeLiteral
} from '../conditions';
import type { IRow, IRows, Literal, Value } from '../conditions';

const name = fc
  .stringMatching(/^[a-z_äß][a-z0-9_ä]{0,8}$/)
  .filter(
    text =>
      !/^(?:and|or|not|in|is|if|as|def|del|for|try|else|from|with|pass|elif|class|break|while|yield|raise|return|lambda|import|global|assert|async|await|except|finally|continue|nonlocal|startswith)$/.test(
        text
      )
  );
const field = fc
  .tuple(
    name,
    fc.array(
      fc.oneof(
        name.map(n => `.${n}`),
        fc.nat(99).map(n => `[${n}]`),
        fc.string().map(s => `[${JSON.stringify(s)}]`)
      ),
      { maxLength: 2 }
    )
  )
  .map(([first, rest]) => first + rest.join(''));
const scalar: fc.Arbitrary<Literal> = fc.oneof(
  fc.string({ unit: 'binary' }).map(text => ({ kind: 'text' as const, text })),
  fc
    .oneof(fc.integer().map(String), fc.constantFrom('0.5', '1e9', '-2.25', '10'))
    .map(text => ({ kind: 'number' as const, text })),
  fc.boolean().map(value => ({ kind: 'truth' as const, value }))
);
const list: fc.Arbitrary<Value> = fc
  .array(fc.oneof(scalar, fc.constant<Literal>({ kind: 'nothing' })), { minLength: 1, maxLength: 3 })
  .map(items => ({ kind: 'list', items }));
const other: fc.Arbitrary<Value> = field.map(text => ({ kind: 'field', field: text }));

const row: fc.Arbitrary<IRow> = fc.oneof(
  fc.record({
    field,
    operator: fc.constantFrom(...COMPARISONS),
    value: fc.oneof<fc.Arbitrary<Value>[]>(scalar, other)
  }),
  fc.record({
    field,
    operator: fc.constantFrom('==' as const, '!=' as const),
    value: fc.constant<Value>({ kind: 'nothing' })
  }),
  fc.record({
    field,
    operator: fc.constantFrom('one-of' as const, 'not-one-of' as const),
    value: fc.oneof(list, other)
  }),
  fc.record({
    field,
    operator: fc.constantFrom('contains' as const, 'contains-not' as const),
    value: scalar
  }),
  fc.record({
    field,
    operator: fc.constant('starts' as const),
    value: fc.oneof<fc.Arbitrary<Value>[]>(scalar, other)
  }),
  fc.record({ field, operator: fc.constantFrom('true' as const, 'false' as const), value: fc.constant(null) })
);
const rows: fc.Arbitrary<IRows> = fc.array(row, { minLength: 1, maxLength: 4 }).chain(all =>
  fc
    .array(fc.constantFrom('and' as const, 'or' as const), {
      minLength: all.length - 1,
      maxLength: all.length - 1
    })
    .map(joins => ({ rows: all, joins }))
);

describe('conditions', () => {
  it('reads the rows that it writes', () => {
    fc.assert(
      fc.property(rows, one => void expect(toRows(toExpression(one))).toEqual(one)),
      { numRuns: 500 }
    );
  });

  it('calls them complete', () => {
    fc.assert(fc.property(row, one => void expect(incomplete(one)).toBeNull()));
  });

  it.each<[string, IRow[], string[]]>([
    ['amount > 100', [{ field: 'amount', operator: '>', value: { kind: 'number', text: '100' } }], []],
    ['100 < amount', [{ field: 'amount', operator: '>', value: { kind: 'number', text: '100' } }], []],
    [
      "order['total'] >= limit",
      [{ field: 'order["total"]', operator: '>=', value: { kind: 'field', field: 'limit' } }],
      []
    ],
    [
      'approved and not late or x is None',
      [
        { field: 'approved', operator: 'true', value: null },
        { field: 'late', operator: 'false', value: null },
        { field: 'x', operator: '==', value: { kind: 'nothing' } }
      ],
      ['and', 'or']
    ],
    [
      '"a" not in tags',
      [{ field: 'tags', operator: 'contains-not', value: { kind: 'text', text: 'a' } }],
      []
    ],
    [
      'x in ["a", -1, None]',
      [
        {
          field: 'x',
          operator: 'one-of',
          value: {
            kind: 'list',
            items: [{ kind: 'text', text: 'a' }, { kind: 'number', text: '-1' }, { kind: 'nothing' }]
          }
        }
      ],
      []
    ]
  ])('shows %s as rows', (expression, expected, joins) => {
    expect(toRows(expression)).toEqual({ rows: expected, joins });
  });

  it.each([
    '(a or b) and c',
    'len(x) > 3',
    '1 < x < 5',
    'x + 1 == 2',
    'amount >',
    'a b',
    'x == 1 and',
    'not a in b',
    '3 < 5',
    'a && b',
    'x = 3',
    'f(x)',
    'x == (1, 2)',
    "x == 'a' 'b'",
    "r'a' == x",
    'x == "',
    'x == 1_000',
    'x == None',
    'True',
    'lambda: 1',
    'x == "\\N{DASH}"'
  ])('leaves %s as text', expression => {
    expect(toRows(expression)).toBeNull();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string(),
        text => void [toRows(text), namesIn(text), literal(text), readList(text), fieldOf(text)]
      )
    );
  });

  it('reads the literals that it writes', () => {
    const typed = fc.oneof(scalar, fc.constant<Literal>({ kind: 'nothing' }));
    fc.assert(fc.property(typed, one => void expect(literal(writeLiteral(one))).toEqual(one)));
    fc.assert(
      fc.property(
        fc.array(typed, { maxLength: 4 }),
        all => void expect(readList(writeList(all))).toEqual(all)
      )
    );
  });

  it('finds the names that are used', () => {
    expect(
      namesIn('amount > limit and startswith(lower(order.name), "x") or items["a"] == len(parts)')
    ).toEqual(['amount', 'limit', 'order', 'items', 'parts']);
    expect(namesIn('a + b ** 2')).toEqual(['a', 'b']);
  });
});
