import { isUnknown } from '../../dns/resolver/types.js';
import { isSpfRecord } from '../../dns/spf/index.js';
import type { Verdict } from '../check.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { readMx, readSpf } from './facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'SPF';

function wantedSpf(ctx: DnsContext) {
  return ctx.expected('spf').find((record) => record.name === ctx.target.domain);
}

/** Meant as SPF, but no receiver takes it for one: a blank, a quote or a missing space at the start. */
function findMangled(texts: readonly string[]): string | undefined {
  return texts.find((text) => /^[\s"'\\]+v=spf1/i.test(text) || /^v=spf1(?![ 0-9]|$)/i.test(text));
}

/** A record of the type SPF (99), which nobody reads any more (RFC 7208 section 3.1); asked for where TXT has none. */
function findDeadRecord(ctx: DnsContext): Promise<string | undefined> {
  return ctx.once('spf type 99', async () => {
    const { records } = await ctx.ask(ctx.target.domain, 'SPF');
    return records.flatMap(({ data }) =>
      data.type === 'SPF' && isSpfRecord(data.text) ? [data.text] : [],
    )[0];
  });
}

export const spfMissingCheck: DnsCheck = {
  id: 'SPF-MISSING',
  group,
  severity: 'fail',
  title: 'The domain has an SPF record',
  ref: 'RFC 7208 section 3',
  needs: [],
  async run(ctx) {
    const { answer, texts } = await readSpf(ctx);
    if (isUnknown(answer.status)) return [unknown(answer)];
    if (texts.length > 0)
      return [pass(answer, 'There is an SPF record.', { observed: texts[0]?.slice(0, 500) ?? '' })];
    if (findMangled(textsOf(answer)) !== undefined) return [];
    const dead = await findDeadRecord(ctx);
    // Said by SPF-SYNTAX, with what is wrong about it.
    if (dead !== undefined) return [];
    const wanted = wantedSpf(ctx);
    const text = wanted?.data.type === 'TXT' ? wanted.data.text : undefined;
    const parked = (await readMx(ctx)).hasNull;
    return [
      fail(answer, 'No SPF record: receivers cannot tell which servers may send for the domain.', {
        observed: 'no TXT record that begins with v=spf1',
        expected: text ?? (parked ? 'v=spf1 -all' : 'v=spf1 …'),
        fix: wanted
          ? setRecord(wanted, 'Add')
          : {
              text: parked
                ? `Add a TXT record at ${ctx.target.domain}: v=spf1 -all`
                : `Add a TXT record at ${ctx.target.domain} that lists the domain’s senders, for example: v=spf1 a:MAILHOST -all`,
            },
      }),
    ];
  },
};

export const spfOneCheck: DnsCheck = {
  id: 'SPF-ONE',
  group,
  severity: 'fail',
  title: 'There is only one SPF record',
  ref: 'RFC 7208 sections 3.2 and 4.5',
  needs: [],
  async run(ctx) {
    const { answer, texts } = await readSpf(ctx);
    if (texts.length === 0) return [];
    if (texts.length === 1) return [pass(answer, 'One record.', { observed: texts[0] ?? '' })];
    const wanted = wantedSpf(ctx);
    return [
      fail(answer, `There are ${texts.length} SPF records; receivers then take none of them (permerror).`, {
        observed: texts.map((text) => text.slice(0, 300)).join(' | '),
        expected: 'one record',
        fix: wanted
          ? setRecord(wanted, 'Replace')
          : {
              text: 'Put the terms of all records into one, with a single "all" at the end, and delete the others.',
            },
      }),
    ];
  },
};

export const spfSyntaxCheck: DnsCheck = {
  id: 'SPF-SYNTAX',
  group,
  severity: 'fail',
  title: 'The SPF record has no errors',
  ref: 'RFC 7208 section 4.6.1',
  needs: [],
  async run(ctx) {
    const { answer, texts, errors, record } = await readSpf(ctx);
    const wanted = wantedSpf(ctx);
    const fixed = wanted ? { fix: setRecord(wanted, 'Replace') } : {};
    const mangled = texts.length === 0 ? findMangled(textsOf(answer)) : undefined;
    if (mangled !== undefined)
      return [
        fail(answer, 'A record is meant as SPF but does not begin with "v=spf1 ", so nobody reads it.', {
          observed: mangled.slice(0, 300),
          expected: 'v=spf1 and a space at the very start',
          ...(wanted
            ? fixed
            : { fix: { text: 'Remove what stands before v=spf1, and put a space after it.' } }),
        }),
      ];
    const dead = texts.length === 0 && !isUnknown(answer.status) ? await findDeadRecord(ctx) : undefined;
    if (dead !== undefined)
      return [
        fail(answer, 'The record has the type SPF (99), which nobody reads any more.', {
          observed: dead.slice(0, 300),
          expected: 'a TXT record',
          fix: wanted
            ? setRecord(wanted, 'Add')
            : { text: `Add a TXT record at ${ctx.target.domain} with the same text, and remove the other.` },
        }),
      ];
    if (errors.length > 0)
      return [
        fail(
          answer,
          `Syntax error; receivers ignore the whole record (permerror): ${errors.map((error) => `${error.term}: ${error.message}`).join('; ')}.`,
          {
            observed: texts[0] ?? '',
            ...(wanted
              ? fixed
              : { fix: { text: `Correct or remove: ${errors.map((error) => error.term).join(', ')}` } }),
          },
        ),
      ];
    if (!record) return [];
    const verdicts: Verdict[] = [pass(answer, 'No syntax errors.', { observed: record.text })];
    const old = textsOf(answer).find((text) => /^spf2\.0\//i.test(text));
    if (old !== undefined)
      verdicts.push(
        info(answer, 'A record of the dead "Sender ID" (spf2.0) is left over.', {
          observed: old.slice(0, 300),
          fix: { text: 'Remove the TXT record that begins with spf2.0/.' },
        }),
      );
    return verdicts;
  },
};

/** Room in a UDP answer that leaves place for the rest of the message. */
const comfortable = 450;
const udpClassic = 512;

export const spfSizeCheck: DnsCheck = {
  id: 'SPF-SIZE',
  group,
  severity: 'warn',
  title: 'The answer with the record is small',
  ref: 'RFC 7208 section 3.4',
  needs: [],
  async run(ctx) {
    const { answer, texts } = await readSpf(ctx);
    const [text] = texts;
    if (text === undefined || texts.length > 1) return [];
    const size = new TextEncoder().encode(text).length;
    const whole = answer.records.reduce(
      (sum, record) => sum + 12 + (record.strings ?? []).reduce((total, part) => total + part.length + 1, 0),
      0,
    );
    const observed = `${size} bytes; all TXT records of the name together ${whole}`;
    const fix = { text: 'Shorten the record, or move terms to a name of its own and include it.' };
    if (size > udpClassic)
      return [
        warn(answer, 'The record does not fit into a classic UDP answer.', {
          observed,
          expected: `at most ${comfortable} bytes`,
          fix,
        }),
      ];
    if (size > comfortable)
      return [
        info(answer, 'The record is close to the size of a classic UDP answer.', {
          observed,
          expected: `at most ${comfortable} bytes`,
          fix,
        }),
      ];
    if (whole > udpClassic)
      return [
        info(
          answer,
          'The TXT records of the name together exceed a classic UDP answer; old resolvers need TCP.',
          { observed },
        ),
      ];
    return [pass(answer, 'Small enough.', { observed })];
  },
};
