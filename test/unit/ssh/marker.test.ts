import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMarkerFilter } from '../../../src/ssh/marker.js';

function feed(chunks: readonly string[]) {
  const filter = createMarkerFilter('MARK');
  const kept = Buffer.concat(chunks.map((chunk) => filter.push(Buffer.from(chunk)))).toString();
  return { kept, seen: filter.seen, noise: filter.noise.toString() };
}

describe('createMarkerFilter', () => {
  it('separates noise from output', () => {
    expect(feed(['motd\nnews\nMARK\nout'])).toEqual({ kept: 'out', seen: true, noise: 'motd\nnews' });
  });

  it('does not take a marker inside a line for one', () => {
    expect(feed(['sh -c printf MARK\n', 'x MARK\nMARK y\n'])).toMatchObject({ kept: '', seen: false });
  });

  it('finds the marker wherever the chunks are cut', () => {
    const text = 'noise\nMARK\nout\nMARK\nmore';
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const chunks = edges.slice(1).map((end, at) => text.slice(edges[at], end));
        expect(feed(chunks)).toEqual({ kept: 'out\nMARK\nmore', seen: true, noise: 'noise' });
      }),
    );
  });

  it('keeps little of endless noise, and still finds the marker after it', () => {
    const filter = createMarkerFilter('MARK');
    for (let i = 0; i < 40; i++) filter.push(Buffer.alloc(64 * 1024, 'x'));
    expect(filter.noise.length).toBeLessThan(300 * 1024);
    expect(filter.push(Buffer.from('\nMARK\nout')).toString()).toBe('out');
  });
});
