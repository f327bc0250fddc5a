import { describe, expect, it } from 'vitest';
import { matchesPatternList } from '../../../src/ssh/patterns.js';

describe('matchesPatternList', () => {
  it.each([
    [['*'], 'any', true],
    [['*.example.com'], 'a.example.com', true],
    [['*.example.com'], 'example.com', false],
    [['192.0.2.?'], '192.0.2.5', true],
    [['192.0.2.?'], '192.0.2.55', false],
    [['*', '!bad'], 'bad', false],
    [['!bad', '*'], 'good', true],
    [['!bad'], 'good', false],
    [['Mail'], 'mail', true],
    [['a*b*c'], 'aXbYbZc', true],
    [['a*b*c'], 'aXbYbZ', false],
    [['?'], '', false],
    [['***'], '', true],
    [['mail'], 'mail2', false],
  ])('%j matches %s: %s', (patterns, name, result) => {
    expect(matchesPatternList(patterns, name)).toBe(result);
  });

  it('does not backtrack for ever', () => {
    expect(matchesPatternList([`${'a*'.repeat(200)}b`], 'a'.repeat(5000))).toBe(false);
  });
});
