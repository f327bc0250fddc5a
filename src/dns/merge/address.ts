import { specialAddressKind } from '../../lib/ip.js';
import { formatRecord, sameData, typeOf } from '../canonical.js';
import type { DesiredRecord, LiveRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';

const why = (desired: DesiredRecord) => ({
  role: desired.role,
  stage: desired.stage,
  reason: desired.reason,
});

/** At the apex an address is a web site's: it is never changed from here, whatever was allowed. */
function refuseApex(b: PlanBuilder, desired: DesiredRecord, found: readonly LiveRecord[]): void {
  b.conflict({
    code: 'E_APEX_ADDRESS',
    role: desired.role,
    what: `${desired.name} itself leads to another address; changing that would move whatever runs there.`,
    evidence: found.map(formatRecord),
    fix: [
      `Use a host name such as mail.${desired.name}, or change the address at the DNS provider yourself.`,
    ],
  });
}

function unproxy(b: PlanBuilder, desired: DesiredRecord, proxied: LiveRecord): void {
  if (b.input.consents.unproxy === true) {
    b.update(proxied, { name: proxied.name, ttl: proxied.ttl, data: proxied.data }, why(desired), true);
    return;
  }
  b.conflict({
    code: 'E_HOST_PROXIED',
    role: desired.role,
    what: `Cloudflare's proxy stands in front of ${desired.name}: it passes web traffic only, so no mail would arrive.`,
    evidence: [`${formatRecord(proxied)} (proxied)`],
    fix: [
      'Choose a host name of its own for mail, or set the record to "DNS only" in the dashboard.',
      'To have it done from here: --allow-unproxy (a web site at this name then shows its real address).',
    ],
    consent: 'unproxy',
  });
}

/** A and AAAA of the mail host: exactly our address, never proxied (R11). */
export function mergeAddress(b: PlanBuilder, desired: DesiredRecord): void {
  const { data } = desired;
  if (data.type !== 'A' && data.type !== 'AAAA') throw new TypeError('address record expected');
  const kind = specialAddressKind(data.address);
  if (kind !== undefined && b.input.privateNetwork !== true) {
    b.conflict({
      code: 'E_HOST_ADDRESS_SPECIAL',
      role: desired.role,
      what: `${data.address} is no address of the public Internet (${kind}); no mail would arrive there.`,
      evidence: [formatRecord(desired)],
      fix: [
        data.type === 'A'
          ? "Give the server's public address: smtp-setup init --ipv4 ADDRESS, or ipv4: ADDRESS below the server in smtp-setup.yaml."
          : 'Set ipv6: off below the server in smtp-setup.yaml.',
        'In a private network or rehearsal, name its DNS server: --resolver ADDRESS (a private one).',
      ],
    });
    return;
  }
  const set = b.set(desired.name, typeOf(data));
  const same = set.find((record) => sameData(record.data, data));
  const others = set.filter((record) => record !== same);
  if (others.length > 0 && desired.name === b.input.zone.name) {
    refuseApex(b, desired, others);
    return;
  }
  if (same !== undefined) {
    if (same.proxied === true) unproxy(b, desired, same);
    else b.keep(desired.role, [same], 'It is as it should be.');
  } else if (others[0] === undefined) {
    b.create(desired);
  } else if (others[0].proxied === true && b.input.consents.unproxy !== true) {
    unproxy(b, desired, others[0]);
  } else {
    b.update(
      others[0],
      { name: desired.name, ttl: others[0].ttl, data },
      {
        ...why(desired),
        reason: `${desired.name} leads to another server. ${desired.reason}`,
      },
    );
  }
  for (const record of same === undefined ? others.slice(1) : others) {
    b.remove(record, {
      ...why(desired),
      reason: 'With two addresses, half of the mail goes to the other one.',
    });
  }
}

/** An AAAA at a host that has no working IPv6: senders and the CA try it first. */
export function noteStrayAaaa(b: PlanBuilder): void {
  for (const host of b.input.input.hosts) {
    if (host.ipv6 !== undefined || host.records?.aaaa === false) continue;
    const stray = b.set(host.name, 'AAAA');
    if (stray.length === 0) continue;
    b.keep('aaaa', stray, 'Not ours.');
    b.note(
      'warn',
      `${host.name} has an AAAA record, but IPv6 of the server is off or does not work: senders and the certificate authority try it first.`,
    );
  }
}
