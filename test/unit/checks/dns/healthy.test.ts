import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PinnedFetch } from '../../../../src/checks/pinned-fetch.js';
import { runDnsChecks } from '../../../../src/checks/run.js';
import {
  healthyPlan,
  healthyTarget,
  healthyWorld,
  lineOf,
  openDnsLab,
  stsPolicy,
} from '../../../helpers/dns-lab.js';

const goodFetch: PinnedFetch = async () => ({
  ok: true,
  status: 200,
  contentType: 'text/plain',
  body: stsPolicy,
  tooLong: false,
});
const records = healthyPlan.map(lineOf);

afterEach(() => {
  vi.useRealTimers();
});

describe('a healthy domain', () => {
  it('has nothing to complain about', async () => {
    const { deps } = openDnsLab({ records, world: healthyWorld, deps: { fetch: goodFetch } });
    const report = await runDnsChecks({ targets: [healthyTarget], resolver: 'test' }, deps);
    const bad = report.results.filter(
      ({ status }) => status === 'fail' || status === 'warn' || status === 'unknown',
    );
    expect(bad.map(({ id, subject, message, observed }) => ({ id, subject, message, observed }))).toEqual([
      // The lab's zone is not signed.
      {
        id: 'DANE-UNSIGNED',
        subject: '_25._tcp.mail.example.org TLSA',
        message: expect.stringContaining('not signed'),
        observed: expect.anything(),
      },
    ]);
    expect(report.summary.pass).toBeGreaterThan(50);
  });

  it('is checked in at most six round trips', async () => {
    vi.useFakeTimers();
    const { deps } = openDnsLab({
      records,
      world: healthyWorld,
      rttMs: 50,
      deps: {
        // TCP, TLS 1.3 and HTTP.
        fetch: async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 150));
          return goodFetch(request);
        },
      },
    });
    let done = false;
    const running = runDnsChecks({ targets: [healthyTarget], resolver: 'test' }, deps).then(() => {
      done = true;
    });
    let elapsed = 0;
    while (!done && elapsed < 2000) {
      await vi.advanceTimersByTimeAsync(10);
      elapsed += 10;
    }
    await running;
    expect(elapsed).toBeLessThanOrEqual(6 * 50 + 10);
  });
});
