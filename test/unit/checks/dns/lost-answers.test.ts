import { expect, it } from 'vitest';
import type { DnsTarget } from '../../../../src/checks/dns/context.js';
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

const fetch: PinnedFetch = async () => ({
  ok: true,
  status: 200,
  contentType: 'text/plain',
  body: stsPolicy,
  tooLong: false,
});
const bare: DnsTarget = {
  domain: 'example.org',
  addresses: [],
  mail: 'unknown',
  expected: [],
  selectors: [],
};

/** The report when nobody answers one question (SERVFAIL), and what was asked. */
async function run(target: DnsTarget, lost?: string) {
  const intercept = ({ name, type }: { name: string; type: string }) =>
    `${name} ${type}` === lost ? 2 : undefined;
  const server = { intercept };
  const { deps, queries } = openDnsLab({
    records: healthyPlan.map(lineOf),
    world: healthyWorld,
    deps: { fetch },
    ns1: server,
    ns2: server,
    resolver: server,
  });
  const { results } = await runDnsChecks({ targets: [target], resolver: 'test' }, deps);
  return { results, asked: [...new Set([...queries.values()].flat())] };
}

/** Who the servers are has its own tests; without that nothing can be asked at all. */
const beneath = /^(?:example\.org (?:SOA|NS)|org (?:SOA|NS)|ns\d\..*|a\.nic\.org .*)$/;

it.each([
  ['a planned domain', healthyTarget],
  ['any domain', bare],
])(
  '%s: each answer lost in turn is unknown, never absent, and nothing passes on it',
  async (_, target) => {
    const healthy = await run(target);
    const failing = healthy.results.filter(({ status }) => status === 'fail').map(({ id }) => id);
    const questions = healthy.asked.filter((question) => !beneath.test(question));
    expect(questions.length).toBeGreaterThan(30);
    for (const question of questions) {
      const { results } = await run(target, question);
      const worse = results.filter(({ status, id }) => status === 'fail' && !failing.includes(id));
      // A TLSA question that fails is itself the fault: senders that know DANE then hold back (RFC 7672 2.1).
      const fault = / TLSA$/.test(question) ? ['DANE-DOE'] : [];
      expect({ question, worse: worse.map(({ id }) => id).filter((id) => !fault.includes(id)) }).toEqual({
        question,
        worse: [],
      });
      // The wildcard's probe is reported under the wildcard's name.
      const passed = results.filter(({ status, subject }) => status === 'pass' && subject === question);
      expect({ question, passed: passed.map(({ id }) => id) }).toEqual({ question, passed: [] });
      const owner = question.slice(0, question.indexOf(' '));
      const statuses = (id: string) => results.filter((one) => one.id === id).map(({ status }) => status);
      const planned = target.expected.find(({ name, data }) => `${name} ${data.type}` === question);
      if (planned) {
        expect([question, ...statuses('RECORD')]).toContain('unknown');
        expect([question, ...statuses('NS-SYNC')]).toEqual([question, 'unknown']);
      }
      if (/^_(?:dmarc|mta-sts|smtp\._tls)\.example\.org(?:\.example\.org)? TXT$/.test(question)) {
        if (owner.endsWith('.example.org.example.org')) expect(statuses('TXT-LOC')).toEqual(['unknown']);
        else if (owner.startsWith('_dmarc')) expect(statuses('NAME-CNAME')).toEqual(['unknown']);
      }
      if (target === bare && question.includes('._domainkey.'))
        expect([question, ...statuses('DKIM-KEY')]).toEqual([question, 'unknown']);
    }
  },
  60_000,
);
