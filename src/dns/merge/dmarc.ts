import { formatRecord } from '../canonical.js';
import { isDmarcRecord, parseDmarc } from '../dmarc.js';
import type { DesiredRecord, LiveRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';

const textOf = (record: LiveRecord): string => (record.data.type === 'TXT' ? record.data.text : '');

/** Tags in order, white space and the final semicolon aside. */
function normalTags(text: string): string {
  return text
    .split(';')
    .map((tag) => tag.replace(/\s*=\s*/, '=').trim())
    .filter((tag) => tag !== '')
    .join(';');
}

function tag(text: string, name: string): string | undefined {
  return normalTags(text)
    .split(';')
    .find((part) => part.toLowerCase().startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

function keepForeign(b: PlanBuilder, desired: DesiredRecord, only: LiveRecord, wanted: string): void {
  b.keep(desired.role, [only], 'A DMARC record stands there; policy and alignment are not ours to change.');
  if (tag(textOf(only), 'rua') === undefined) {
    b.note(
      'info',
      `${desired.name} asks for no reports; adding rua=${tag(wanted, 'rua') ?? 'mailto:…'} would tell who sends in your name.`,
    );
  }
  const [has, asked] = [tag(textOf(only), 'p'), tag(wanted, 'p')];
  if (desired.firm === true && has !== asked) {
    b.note(
      'warn',
      `${desired.name} says p=${has ?? '(nothing)'}, smtp-setup.yaml p=${asked}; the record is not ours and stays.`,
    );
  }
}

/** One DMARC record; one that others made stays as it is (R8), our own follows the config (A5). */
export function mergeDmarc(b: PlanBuilder, desired: DesiredRecord): void {
  if (desired.data.type !== 'TXT') throw new TypeError('TXT record expected');
  const wanted = desired.data.text;
  const set = b.set(desired.name, 'TXT');
  const existing = set.filter((record) => isDmarcRecord(textOf(record)));
  const [only] = existing;
  if (existing.length > 1) {
    b.conflict({
      code: 'E_DMARC_SEVERAL',
      role: desired.role,
      what: `${desired.name} has ${existing.length} DMARC records; with more than one, receivers use none (RFC 9989).`,
      evidence: existing.map(formatRecord),
      fix: ['Delete all but one of them at the DNS provider.'],
    });
    return;
  }
  if (only === undefined) {
    for (const stray of set) b.note('warn', `${formatRecord(stray)} is no DMARC record; it stays.`);
    b.create(desired);
    return;
  }
  if (normalTags(textOf(only)) === normalTags(wanted)) {
    b.keep(desired.role, [only], 'It is as it should be.');
    return;
  }
  const domain = b.input.input.domains.find(({ name }) => desired.name === `_dmarc.${name}`);
  const ours = b.isOurs(only) || domain?.pinned?.dmarc === textOf(only);
  const spoilt = parseDmarc(textOf(only))?.effect !== 'policy';
  if (ours && (desired.firm === true || spoilt)) {
    b.update(
      only,
      { name: only.name, ttl: only.ttl, data: desired.data },
      {
        role: desired.role,
        stage: desired.stage,
        reason: spoilt
          ? 'Receivers cannot use the record as it stands.'
          : 'smtp-setup.yaml asks for another DMARC policy or report address.',
      },
    );
    return;
  }
  if (ours) b.keep(desired.role, [only], 'Our record; smtp-setup.yaml asks for no other.');
  else keepForeign(b, desired, only, wanted);
}
