import { parseStsRecord, stsMatches } from '../../dns/parse/mta-sts.js';
import { isUnknown } from '../../dns/resolver/types.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { readMx } from './facts.js';
import { maxBytes, readPolicy, readRecord, wantedRecord } from './sts-facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'MTA-STS';
const shortAge = 86_400;

export const stsRecordCheck: DnsCheck = {
  id: 'STS-TXT',
  group,
  severity: 'fail',
  title: 'The MTA-STS record is valid',
  ref: 'RFC 8461 section 3.1',
  needs: [],
  async run(ctx) {
    const { answer, texts } = await readRecord(ctx);
    if (isUnknown(answer.status)) return [unknown(answer)];
    const wanted = wantedRecord(ctx);
    const fixed = wanted ? { fix: setRecord(wanted, texts.length === 0 ? 'Add' : 'Replace') } : {};
    const [text] = texts;
    if (text === undefined) {
      if (wanted) return [fail(answer, 'The MTA-STS record is missing.', fixed)];
      if (textsOf(answer).some((one) => /STSv1/i.test(one)))
        return [
          fail(answer, 'The record does not begin with "v=STSv1;", so nobody reads it.', {
            expected: 'v=STSv1; id=…',
          }),
        ];
      return [info(answer, 'No MTA-STS: senders do not insist on a valid certificate.')];
    }
    if (texts.length > 1)
      return [
        fail(answer, 'Several MTA-STS records: senders then use none.', {
          ...fixed,
          ...(wanted ? {} : { fix: { text: `Leave one TXT record at ${answer.name}.` } }),
        }),
      ];
    const parsed = parseStsRecord(text);
    return parsed.ok
      ? [pass(answer, 'The record is valid.')]
      : [
          fail(answer, `The record ${parsed.problem}.`, {
            expected: 'v=STSv1; id=LETTERSANDDIGITS',
            ...fixed,
          }),
        ];
  },
};

export const stsPolicyCheck: DnsCheck = {
  id: 'STS-POLICY',
  group,
  severity: 'fail',
  title: 'The MTA-STS policy is served and valid',
  ref: 'RFC 8461 sections 3.2 and 3.3',
  needs: ['fetch'],
  async run(ctx) {
    const host = `mta-sts.${ctx.target.domain}`;
    const subject = `https://${host}/.well-known/mta-sts.txt`;
    const asked = { name: host, type: 'A' } as const;
    const facts = await readPolicy(ctx);
    const fix = {
      text: `Serve the policy at ${subject} as text/plain, with a valid certificate and without redirects.`,
    };
    if (facts.kind === 'none') return [];
    if (facts.kind === 'lookup')
      return isUnknown(facts.answer.status)
        ? [unknown(facts.answer, { subject })]
        : [
            fail(facts.answer, `${host} does not resolve, so the policy cannot be read.`, {
              subject,
              fix: { text: `Add an address record or a CNAME at ${host}.` },
            }),
          ];
    if (facts.kind === 'refused')
      return [
        {
          status: 'unknown',
          name: host,
          type: 'A',
          subject,
          observed: facts.addresses.join(', '),
          message:
            'The policy host has no public address; it is not connected to unless private networks are allowed.',
        },
      ];
    const { response, parsed } = facts;
    if (!response.ok) {
      if (response.reason === 'timeout' || response.reason === 'network')
        return [
          {
            status: 'unknown',
            name: host,
            type: 'A',
            subject,
            observed: response.detail,
            message: 'The policy could not be fetched from here.',
          },
        ];
      const message =
        response.reason === 'certificate'
          ? 'The certificate of the policy host is not valid, so senders do not read the policy.'
          : 'The policy host refuses the connection.';
      return [fail(asked, message, { subject, observed: response.detail, fix })];
    }
    if (response.tooLong)
      return [fail(asked, `The policy is longer than ${maxBytes} bytes.`, { subject, fix })];
    if (response.status >= 300 && response.status < 400)
      return [
        fail(asked, 'The policy is redirected; senders must not follow.', {
          subject,
          observed: `HTTP ${response.status}`,
          fix,
        }),
      ];
    if (response.status !== 200 || !parsed)
      return [
        fail(asked, 'The policy is not served.', {
          subject,
          observed: `HTTP ${response.status}`,
          expected: 'HTTP 200',
          fix,
        }),
      ];
    if (!parsed.ok)
      return [
        fail(asked, `The policy is not valid: ${parsed.problems.join('; ')}.`, {
          subject,
          observed: response.body.slice(0, 300),
          fix: { text: 'Correct the policy file.' },
        }),
      ];
    const observed = `mode ${parsed.policy.mode}, mx ${parsed.policy.mx.join(' ')}, max_age ${parsed.policy.maxAge}`;
    if (response.contentType !== 'text/plain')
      return [
        warn(
          asked,
          `The policy is served as ${response.contentType || 'no type'}; some senders insist on text/plain.`,
          { subject, observed, fix },
        ),
      ];
    if (parsed.policy.mode !== 'none' && parsed.policy.maxAge < shortAge)
      return [
        warn(asked, 'max_age is so short that the policy protects hardly anybody.', {
          subject,
          observed,
          expected: `max_age of at least ${shortAge}`,
        }),
      ];
    if (parsed.policy.mode !== 'enforce')
      return [
        info(
          asked,
          `The policy is in mode "${parsed.policy.mode}": senders deliver without a valid certificate too.`,
          { subject, observed, ...proposeEnforce(ctx, parsed.policy.mode) },
        ),
      ];
    return [pass(asked, 'The policy is served and enforced.', { subject, observed })];
  },
};

export const stsMxCheck: DnsCheck = {
  id: 'STS-MX',
  group,
  severity: 'fail',
  title: 'The policy lists every MX host',
  ref: 'RFC 8461 section 4.1',
  needs: ['fetch'],
  async run(ctx) {
    const [facts, mx] = await Promise.all([readPolicy(ctx), readMx(ctx)]);
    if (facts.kind !== 'fetched' || !facts.parsed?.ok || mx.hosts.length === 0) return [];
    const { policy } = facts.parsed;
    if (policy.mode === 'none') return [];
    const missing = mx.hosts.filter(
      ({ exchange }) => !policy.mx.some((pattern) => stsMatches(pattern, exchange)),
    );
    const details = {
      expected: `one of: ${policy.mx.join(', ')}`,
      fix: {
        text: `Add to the policy: ${missing.map(({ exchange }) => `mx: ${exchange}`).join(', ')}; then change the id in the record.`,
      },
    };
    if (missing.length === 0)
      return [pass(mx.answer, 'Every MX host is listed.', { expected: details.expected })];
    const names = missing.map(({ exchange }) => exchange).join(', ');
    return policy.mode === 'enforce'
      ? [fail(mx.answer, `${names} is not in the policy: senders refuse to deliver there.`, details)]
      : [
          warn(
            mx.answer,
            `${names} is not in the policy; in mode enforce, senders would refuse to deliver there.`,
            details,
          ),
        ];
  },
};

/** Senders that report do so daily; two weeks of them are enough to see whether anybody would be turned away. */
const trialMs = 14 * 86_400_000;

function proposeEnforce(ctx: DnsContext, mode: string): { fix?: { text: string } } {
  if (mode !== 'testing') return {};
  const since = ctx.target.stsSince;
  const days = since === undefined ? 0 : Math.floor((ctx.deps.now() - since) / 86_400_000);
  const step = 'set mtaSts: { mode: enforce } for the domain in smtp-setup.yaml, and run smtp-setup apply.';
  return {
    fix: {
      text:
        days * 86_400_000 >= trialMs
          ? `It has been tried out for ${days} days. If the TLS reports show no failures, ${step}`
          : `When two weeks of TLS reports show no failures, ${step}`,
    },
  };
}
