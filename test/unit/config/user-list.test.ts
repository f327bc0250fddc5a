import { describe, expect, it } from 'vitest';
import { parseUserList, readHash } from '../../../src/config/user-list.js';
import { SetupError } from '../../../src/errors.js';
import { parseCsv } from '../../../src/lib/csv.js';

const crypt = `$6$salt$${'a'.repeat(86)}`;
const evidence = (text: string): readonly string[] => {
  try {
    parseUserList(text);
  } catch (error) {
    if (error instanceof SetupError && error.code === 'E_USER_LIST') return error.evidence;
    throw error;
  }
  return [];
};

describe('parseCsv', () => {
  it.each([
    [
      'a,b\nc,d',
      [
        { line: 1, fields: ['a', 'b'] },
        { line: 2, fields: ['c', 'd'] },
      ],
    ],
    [
      '\uFEFFa,b\r\n\r\nc\r\n',
      [
        { line: 1, fields: ['a', 'b'] },
        { line: 3, fields: ['c'] },
      ],
    ],
    [
      '"a,""b""","c\nd"\ne',
      [
        { line: 1, fields: ['a,"b"', 'c\nd'] },
        { line: 3, fields: ['e'] },
      ],
    ],
    ['a,b"c,"d"e\n', [{ line: 1, fields: ['a', 'b"c', '"d"e'] }]],
    [
      'a,"never closed\nb',
      [
        { line: 1, fields: ['a', '"never closed'] },
        { line: 2, fields: ['b'] },
      ],
    ],
    ['a,\n', [{ line: 1, fields: ['a', ''] }]],
    ['', []],
  ])('%j', (text, expected) => {
    expect(parseCsv(text)).toEqual(expected);
  });
});

describe('parseUserList', () => {
  it('reads passwords, hashes, and names alone, under a heading', () => {
    const users = parseUserList(
      `address,password\nAda@Example.org,"plum, kettle ""orbit"""\nbob@example.org,${crypt}\neve@example.org\n`,
    );
    expect(
      users.map(({ address, credential }) => [address, credential?.kind, credential?.value.reveal()]),
    ).toEqual([
      ['ada@example.org', 'password', 'plum, kettle "orbit"'],
      ['bob@example.org', 'hash', `{SHA512-CRYPT}${crypt}`],
      ['eve@example.org', undefined, undefined],
    ]);
  });

  it('names every line that is wrong, and no password', () => {
    const said = evidence(
      'ada@example.org,short\nnot an address,plum kettle orbit\nbob@example.org,$1$old$hash\nbob@example.org,plum kettle orbit\nbob@example.org,plum kettle orbit\na@b.org,x,plum kettle orbit\n',
    );
    expect(said).toEqual([
      expect.stringMatching(/^line 1: ada@example\.org: It has 5 characters/),
      expect.stringMatching(/^line 2: not an address: /),
      expect.stringMatching(/^line 3: bob@example\.org: it looks like a hash/),
      'line 5: bob@example.org stands there twice.',
      expect.stringMatching(/^line 6: More than two fields/),
    ]);
    expect(said.join()).not.toMatch(/kettle|short/);
  });

  it('is never empty', () => {
    expect(evidence('address,password\n')).toEqual(['It names no mailbox.']);
  });
});

it.each([
  ['{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA', true],
  ['$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA', true],
  [`$2y$10$${'a'.repeat(53)}`, true],
  ['{PLAIN}secret', false],
  ['{SHA512-CRYPT}$6$a:b$x', false],
  [`${crypt}\n`, false],
])('readHash(%j)', (text, expected) => {
  expect(readHash(text) !== undefined).toBe(expected);
});
