import { expect, it } from 'vitest';
import { noRightToWrite } from '../../../src/apply/dns-lane.js';
import type { LiveRecord } from '../../../src/dns/record.js';
import type { PlannedChange } from '../../../src/dns/zone-plan.js';
import { SetupError } from '../../../src/errors.js';
import { explainRefusal, leftError } from '../../../src/pipeline/carry-out-errors.js';
import { readZonesAgain } from '../../../src/pipeline/read-zones-again.js';
import type { ZoneSurvey } from '../../../src/pipeline/survey.js';

const expired = new SetupError({
  code: 'E_DNS_TOKEN',
  exit: 2,
  what: 'The token was not accepted.',
  evidence: ['HTTP 403'],
});
const cancelled = new SetupError({ code: 'E_CANCELLED', exit: 130, what: 'Cancelled.' });

const txt = (name: string, text: string): LiveRecord => ({ name, ttl: 3600, data: { type: 'TXT', text } });
const create = (after: LiveRecord) => ({ op: 'create', after }) as PlannedChange;

function survey(name: string, live: readonly LiveRecord[], list: () => Promise<LiveRecord[]>): ZoneSurvey {
  const zone = { id: name, name, nameServers: ['ns.example.net'], state: 'active' };
  return { zone, live, names: new Set(), open: { provider: { list } } } as unknown as ZoneSurvey;
}

it('a zone that cannot be read at the end is what it was, with what was written there', async () => {
  const [before, spf, other] = [
    txt('example.org', 'other'),
    txt('example.org', 'v=spf1 -all'),
    txt('example.net', 'now'),
  ];
  const inSub = txt('mail.sub.example.org', 'elsewhere');
  const now = await readZonesAgain(
    [
      survey('example.org', [before], () => Promise.reject(expired)),
      survey('sub.example.org', [], async () => [inSub]),
      survey('example.net', [], async () => [other]),
    ],
    [create(spf), create(inSub)],
  );
  expect(now.refusal).toBe(expired);
  expect(now.zones.map(({ name, records }) => [name, records])).toEqual([
    ['example.org', [before, spf]],
    ['sub.example.org', [inSub]],
    ['example.net', [other]],
  ]);
});

it('a bug is no refusal', async () => {
  const bug = new TypeError('x');
  await expect(readZonesAgain([survey('example.org', [], () => Promise.reject(bug))], [])).rejects.toBe(bug);
});

it('an apply whose result cannot be read ends with exit code 1: not everything is as it was', () => {
  const refusal = explainRefusal(expired, { zones: [] }, true);
  const nothing = { unfinished: [], byHand: [] };
  expect(leftError(nothing)).toBeUndefined();
  expect(leftError(nothing, refusal)).toMatchObject({
    code: 'E_DNS_TOKEN',
    exit: 1,
    fix: [expect.stringContaining('smtp-setup apply again')],
  });
  expect(leftError({ unfinished: [], byHand: ['A mail.example.org'] })).toMatchObject({ exit: 4 });
  expect(leftError({ unfinished: [], byHand: ['A mail.example.org'] }, refusal)).toMatchObject({ exit: 1 });
  expect(leftError({ unfinished: ['The MX waits.'], byHand: [] }, refusal)).toMatchObject({
    code: 'E_UNFINISHED',
    exit: 1,
    evidence: ['The MX waits.', 'The token was not accepted.'],
  });
  expect(leftError({ unfinished: ['The MX waits.'], byHand: [] }, cancelled)).toBe(cancelled);
});

it('a token that may not write is a matter of credentials as long as nothing was touched', () => {
  const details = {
    code: 'E_DNS_WRITE',
    exit: 1,
    what: 'Not every record.',
    evidence: ['HTTP 400: 10000'],
  } as const;
  const noRight = new SetupError({ ...details, cause: noRightToWrite });
  expect(explainRefusal(noRight, { zones: [] }, false)).toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
  expect(explainRefusal(noRight, { zones: [] }, true)).toBe(noRight);
  const other = new SetupError(details);
  expect(explainRefusal(other, { zones: [] }, false)).toBe(other);
});
