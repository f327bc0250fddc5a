import { describe, expect, it } from 'vitest';
import { parseSize } from '../../../src/lib/size.js';

describe('parseSize', () => {
  it.each([
    ['500M', 524_288_000],
    ['5G', 5_368_709_120],
    ['2T', 2_199_023_255_552],
    ['none', 0],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '5', '0G', '05G', '5g', '1.5G', '-1G', '5GB', 'G', '9999999G'])('refuses %j', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});
