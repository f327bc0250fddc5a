import { formatRecord } from '../canonical.js';
import type { DesiredRecord, LiveRecord } from '../record.js';
import type { DomainInput } from '../records/input.js';
import type { PlanBuilder } from './builder.js';
import { mxBlocks } from './mx-blocks.js';

/** Before a take-over, so that the switch is seen soon; a user's TTL is otherwise never shortened. */
const switchTtl = 300;

interface MxSet {
  all: LiveRecord[];
  ours: LiveRecord[];
  nulls: LiveRecord[];
  foreign: LiveRecord[];
}

const preferenceOf = (record: LiveRecord): number => (record.data.type === 'MX' ? record.data.preference : 0);
const exchangeOf = (record: LiveRecord): string => (record.data.type === 'MX' ? record.data.exchange : '');

function readSet(b: PlanBuilder, domain: DomainInput): MxSet {
  const all = b.set(domain.name, 'MX');
  return {
    all,
    ours: all.filter((record) => exchangeOf(record) === domain.host),
    nulls: all.filter((record) => exchangeOf(record) === ''),
    foreign: all.filter((record) => !['', domain.host, domain.backup].includes(exchangeOf(record))),
  };
}

function removeNulls(b: PlanBuilder, domain: DomainInput, nulls: readonly LiveRecord[]): void {
  for (const record of nulls) {
    b.remove(record, {
      role: 'mx',
      stage: 'mx',
      reason: `The null MX says that ${domain.name} receives no mail (RFC 7505).`,
    });
  }
}

function stopAtForeign(b: PlanBuilder, domain: DomainInput, foreign: readonly LiveRecord[]): void {
  b.conflict({
    code: 'E_MX_FOREIGN',
    role: 'mx',
    what: `Mail to ${domain.name} goes to another server today; that is never changed unasked.`,
    evidence: foreign.map(formatRecord),
    fix: [
      'To keep it and only send from here, set "mail: send-only" for the domain in smtp-setup.yaml.',
      'To move all mail to this server: --take-over-mx, with every address that gets mail today.',
    ],
    consent: 'takeOverMx',
  });
}

/** The consent names somebody who gets this domain's mail here, or everybody. */
function hasRecipients(b: PlanBuilder, domain: DomainInput): boolean {
  const consent = b.input.consents.takeOverMx;
  if (consent === undefined) return false;
  return 'catchAll' in consent || consent.recipients.some((address) => address.endsWith(`@${domain.name}`));
}

/** Foreign MX out, ours in, in one batch; the old TTL is lowered and waited out before (A1). */
function takeOver(b: PlanBuilder, domain: DomainInput, set: MxSet, desired: DesiredRecord): void {
  if (!hasRecipients(b, domain)) {
    b.conflict({
      code: 'E_MX_NO_RECIPIENTS',
      role: 'mx',
      what: `Taking over the mail of ${domain.name} without its addresses would bounce what people send there.`,
      evidence: set.foreign.map(formatRecord),
      fix: [
        `Give every address of ${domain.name} that gets mail today: --take-over-mx a@${domain.name},b@${domain.name}`,
        'Or have every address reach one mailbox, by name: --take-over-mx @',
      ],
    });
    return;
  }
  const low = Math.max(switchTtl, b.input.caps.minTtl);
  const why = { role: 'mx', reason: `Mail to ${domain.name} is moved to this server.` };
  for (const record of set.foreign) {
    const { name, data } = record;
    if (record.ttl > low) {
      b.update(
        record,
        { name, data, ttl: low },
        { ...why, stage: 'host', reason: 'The switch of the MX is then seen soon.' },
        true,
      );
    }
    b.remove({ ...record, ttl: Math.min(record.ttl, low) }, { ...why, stage: 'mx' }, true);
  }
  for (const record of set.nulls) b.remove(record, { ...why, stage: 'mx' }, true);
  if (set.ours.length === 0) b.create(desired, { newSet: true });
  // What lives no longer than the low TTL needs no waiting: the switch itself is seen within that time.
  const seconds = Math.max(
    0,
    ...set.foreign.map(({ ttl }) => ttl).filter((ttl) => ttl > low),
    b.input.evidence?.mxCachedFor?.[domain.name] ?? 0,
  );
  if (seconds > 0)
    b.wait({ before: 'mx', seconds, reason: `Caches hold the old MX of ${domain.name} that long.` });
  b.note(
    'warn',
    `Until the new MX is seen, and for stragglers longer, ${set.foreign.map(exchangeOf).join(', ')} still receives mail to ${domain.name}: keep its mailboxes and fetch what arrives. Unknown recipients get 450 here, not 550, so that a forgotten address loses nothing.`,
  );
}

/** MX of a domain whose mail comes here (R4, A1, A2). */
export function mergeMx(b: PlanBuilder, desired: DesiredRecord): void {
  const domain = b.input.input.domains.find(({ name }) => name === desired.name);
  if (domain === undefined) throw new TypeError(`no domain ${desired.name} in the input`);
  const set = readSet(b, domain);
  const best = Math.min(...set.ours.map(preferenceOf));
  const rivals = set.foreign.filter((record) => preferenceOf(record) <= best);
  if (set.ours.length > 0 && rivals.length === 0) {
    b.keep('mx', set.ours, 'Mail comes to this server.');
    removeNulls(b, domain, set.nulls);
    if (set.foreign.length > 0) {
      b.keep('mx', set.foreign, 'A backup MX, with a higher preference number than ours.');
    }
    return;
  }
  if (set.foreign.length > 0 && b.input.consents.takeOverMx === undefined) {
    stopAtForeign(b, domain, set.foreign);
    return;
  }
  const blocks = mxBlocks(b, domain, set.all);
  for (const block of blocks) b.conflict(block);
  if (blocks.length > 0) return;
  if (set.foreign.length > 0) {
    takeOver(b, domain, set, desired);
    return;
  }
  removeNulls(b, domain, set.nulls);
  b.create(desired, { newSet: true });
}

/** The second MX, which only counts while the first is away; one of another preference is the user's choice. */
export function mergeBackupMx(b: PlanBuilder, desired: DesiredRecord): void {
  const { data } = desired;
  const there = b
    .set(desired.name, 'MX')
    .filter((record) => data.type === 'MX' && exchangeOf(record) === data.exchange);
  if (there.length > 0) b.keep('mx-backup', there, 'The backup takes mail while this server is away.');
  else b.create(desired);
}

/** Send-only domains: whatever MX stands there stays (A3). */
export function keepForeignMx(b: PlanBuilder): void {
  for (const domain of b.input.input.domains) {
    if (domain.mail !== 'send-only') continue;
    const { foreign, ours } = readSet(b, domain);
    // Port 25 is shut where nothing is received: mail that is still sent here would come back days later.
    if (ours.length > 0) {
      b.conflict({
        code: 'E_MX_STILL_HERE',
        role: 'mx',
        what: `Mail to ${domain.name} still comes to this server, which would take none any more.`,
        evidence: ours.map(formatRecord),
        fix: [
          `Point the MX of ${domain.name} at the server that takes its mail, or remove it, then run again.`,
          'To go on receiving here, leave the domain at "mail: full" and the server at the profile mailboxes.',
        ],
      });
    }
    if (foreign.length > 0) b.keep('mx', foreign, 'Mail goes on arriving there; this server only sends.');
    if (domain.dmarc.rua === undefined) {
      b.note('info', `No address for the DMARC reports of ${domain.name} is set; give one as dmarc.rua.`);
    }
  }
}
