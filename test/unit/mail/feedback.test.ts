import { describe, expect, it } from 'vitest';
import { feedbackPrograms } from '../../../src/mail/feedback.js';

const titles = (input: Parameters<typeof feedbackPrograms>[0]) =>
  feedbackPrograms(input).map(({ title }) => title);

describe('feedback of large receivers', () => {
  const domains = ['example.org', 'example.net'];

  it('is given for domains and addresses', () => {
    const programs = feedbackPrograms({ domains, addresses: ['198.51.100.25'], receives: true });
    expect(programs.map(({ title }) => title)).toEqual([
      'Google Postmaster Tools',
      'Microsoft SNDS',
      'Microsoft JMRP',
      'Yahoo CFL',
    ]);
    for (const { url } of programs) expect(new URL(url).protocol).toBe('https:');
    expect(programs[0]?.todo).toMatch(/example\.org, example\.net.*google-site-verification/);
    expect(programs[1]?.todo).toContain('198.51.100.25');
  });

  it('is not asked for addresses that mail does not leave from', () => {
    expect(titles({ domains, addresses: [], receives: true })).toEqual([
      'Google Postmaster Tools',
      'Yahoo CFL',
    ]);
    expect(titles({ domains: [], addresses: [], receives: false })).toEqual([]);
  });

  it('warns where a confirmation would come to nobody', () => {
    const [, yahoo] = feedbackPrograms({ domains, addresses: [], receives: false });
    expect(yahoo?.todo).toContain('must reach you');
  });
});
