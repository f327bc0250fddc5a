import { parseDkimKey } from '../../dns/dkim-key.js';
import type { DesiredRecord } from '../../dns/record.js';
import { isUnknown } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { type DkimFacts, findLostGuess, readDkim, readSpf } from './facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'DKIM';

function wantedKey(ctx: DnsContext, name: string): DesiredRecord | undefined {
  return ctx.expected('dkim').find((record) => record.name === name);
}

/** The only key at a selector, when it can be read; broken and doubled ones have their own checks. */
export async function readSoundKeys(ctx: DnsContext) {
  return (await readDkim(ctx)).flatMap((facts) =>
    facts.texts.length === 1 && facts.key ? [{ ...facts, key: facts.key }] : [],
  );
}

export const dkimKeyCheck: DnsCheck = {
  id: 'DKIM-KEY',
  group,
  severity: 'fail',
  title: 'The DKIM key in DNS is the one that signs',
  ref: 'RFC 6376 section 3.6.1',
  needs: [],
  async run(ctx) {
    const keys = await readDkim(ctx);
    if (keys.length === 0) {
      const asked = { name: `_domainkey.${ctx.target.domain}`, type: 'TXT' } as const;
      const lost = await findLostGuess(ctx);
      if (lost) return [unknown(lost)];
      return [
        info(asked, 'No DKIM key at the usual selectors; DNS cannot list them. Name yours with --selector.', {
          observed: 'nothing found',
        }),
      ];
    }
    return keys.flatMap((facts): Verdict[] => {
      const { answer, name, texts } = facts;
      if (isUnknown(answer.status)) return [unknown(answer)];
      const wanted = wantedKey(ctx, name);
      if (texts.length === 0) {
        const stray = textsOf(answer).length > 0;
        return [
          fail(
            answer,
            stray
              ? `What stands at ${name} is not a DKIM key.`
              : `The DKIM key ${facts.selector} is not published: signatures cannot be verified.`,
            {
              ...(wanted && {
                expected: shortKey(textOf(wanted)),
                fix: setRecord(wanted, stray ? 'Replace' : 'Add'),
              }),
            },
          ),
        ];
      }
      if (texts.length > 1 || !facts.key) return [];
      return judgeKey(facts, wanted);
    });
  },
};

function textOf(record: DesiredRecord): string {
  return record.data.type === 'TXT' ? record.data.text : '';
}

/** A key's middle tells nobody anything. */
export function shortKey(text: string): string {
  return text.replace(/(p=[A-Za-z0-9+/]{12})[A-Za-z0-9+/]{24,}([A-Za-z0-9+/=]{12})/, '$1…$2');
}

function judgeKey({ answer, key, guessed }: DkimFacts, wanted: DesiredRecord | undefined): Verdict[] {
  if (!key || key.revoked) return [];
  const observed = shortKey(key.text);
  if (!wanted)
    return key.usable
      ? [
          pass(answer, guessed ? 'A key was found by guessing its selector.' : 'The key can be read.', {
            observed,
          }),
        ]
      : [];
  const planned = parseDkimKey(textOf(wanted));
  const expected = shortKey(planned.text);
  const same = key.spki !== undefined ? key.spki === planned.spki : key.publicKey === planned.publicKey;
  if (same && key.usable) return [pass(answer, 'The published key is the server’s.', { observed, expected })];
  // A record that cannot be read is DKIM-TAGS' business.
  if (!key.usable && key.problems.length > 0) return [];
  return [
    fail(answer, 'The published key is not the one the server signs with: every signature is invalid.', {
      observed,
      expected,
      fix: setRecord(wanted, 'Replace'),
    }),
  ];
}

export const dkimMultiCheck: DnsCheck = {
  id: 'DKIM-MULTI',
  group,
  severity: 'fail',
  title: 'One key record at each selector',
  ref: 'RFC 6376 section 3.6.2.2',
  needs: [],
  async run(ctx) {
    return (await readDkim(ctx)).flatMap(({ answer, name, texts }): Verdict[] => {
      if (texts.length === 0) return [];
      if (texts.length === 1) return [pass(answer, 'One record.', { observed: shortKey(texts[0] ?? '') })];
      const wanted = wantedKey(ctx, name);
      return [
        fail(answer, `${texts.length} keys stand at one selector; which one receivers take is undefined.`, {
          observed: texts.map(shortKey).join(' | '),
          fix: wanted
            ? setRecord(wanted, 'Replace')
            : { text: `Leave one TXT record at ${name}; a second key needs a selector of its own.` },
        }),
      ];
    });
  },
};

export const dkimTagsCheck: DnsCheck = {
  id: 'DKIM-TAGS',
  group,
  severity: 'fail',
  title: 'The key record can be read',
  ref: 'RFC 6376 section 3.6.1',
  needs: [],
  async run(ctx) {
    return (await readSoundKeys(ctx)).flatMap(({ answer, name, key }): Verdict[] => {
      const errors = key.problems.filter((problem) => problem.kind === 'tags' || problem.kind === 'key');
      const observed = shortKey(key.text);
      const wanted = wantedKey(ctx, name);
      if (errors.length > 0)
        return [
          fail(
            answer,
            `The key record cannot be used: ${errors.map((problem) => problem.message).join('; ')}.`,
            {
              observed,
              fix: wanted
                ? setRecord(wanted, 'Replace')
                : {
                    text: 'Publish the key again, exactly as the signing software prints it, without quotes or backslashes.',
                  },
            },
          ),
        ];
      const [remark] = key.problems.filter((problem) => problem.kind === 'encoding');
      return [
        remark
          ? info(answer, remark.message, { observed })
          : pass(answer, 'The record is well formed.', { observed }),
      ];
    });
  },
};

export const dkimRevokedCheck: DnsCheck = {
  id: 'DKIM-REVOKED',
  group,
  severity: 'fail',
  title: 'The key is not revoked',
  ref: 'RFC 6376 section 3.6.1',
  needs: [],
  async run(ctx) {
    return (await readSoundKeys(ctx)).flatMap(({ answer, name, key, guessed }): Verdict[] => {
      if (!key.revoked) return [pass(answer, 'The key is in use.', { observed: shortKey(key.text) })];
      if (guessed) return [info(answer, 'An old key was revoked at this selector.')];
      const wanted = wantedKey(ctx, name);
      return [
        fail(answer, 'The key is revoked (p= is empty): what it signs fails.', {
          ...(wanted && { expected: shortKey(textOf(wanted)) }),
          fix: wanted
            ? setRecord(wanted, 'Replace')
            : { text: 'Publish the key again, or sign with another selector.' },
        }),
      ];
    });
  },
};

export const dkimParentCheck: DnsCheck = {
  id: 'DKIM-NX',
  group,
  severity: 'warn',
  title: '_domainkey exists',
  ref: 'RFC 8020',
  needs: [],
  async run(ctx) {
    const [answer, keys] = await Promise.all([
      ctx.ask(`_domainkey.${ctx.target.domain}`, 'TXT'),
      readDkim(ctx),
    ]);
    if (isUnknown(answer.status)) return [unknown(answer)];
    if (answer.status !== 'nxdomain') return [pass(answer, 'The name exists.')];
    const published = keys.filter(({ texts }) => texts.length > 0);
    if (published.length > 0)
      return [
        warn(
          answer,
          'The name servers deny that _domainkey exists although keys stand below it; careful resolvers then never find the keys.',
          {
            fix: {
              text: 'Ask the DNS provider to answer NOERROR for names that have others below them (RFC 8020).',
            },
          },
        ),
      ];
    // With a known selector DKIM-KEY already says that the key is missing.
    if (keys.length > 0) return [];
    const { record } = await readSpf(ctx);
    const [only, ...more] = record?.terms ?? [];
    const silent = only?.kind === 'mechanism' && only.name === 'all' && only.qualifier === '-';
    return silent && more.length === 0
      ? [info(answer, 'The domain sends no mail (v=spf1 -all), so nothing has to be signed.')]
      : [
          warn(answer, 'Nothing stands below _domainkey: the domain publishes no DKIM key at all.', {
            fix: { text: 'Sign the domain’s mail with DKIM and publish the key.' },
          }),
        ];
  },
};
