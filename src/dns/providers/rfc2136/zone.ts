import { Exit, SetupError } from '../../../errors.js';
import { ancestorsWithin, canonicalName } from '../../canonical.js';
import type { LiveRecord, RecordData } from '../../record.js';
import { editRrsets, type RrsetEdit, recordsAfter } from '../edit-rrset.js';
import type { DnsProvider, ProviderContext, Zone } from '../provider.js';
import { cancelled, retryRead } from '../retry.js';
import type { WriteUnit, ZoneWriter } from '../write-changes.js';
import { DnsFailure, type UpdateClient } from './client.js';
import { classes, type WireRecord } from './message.js';
import { encodeData, typeCodes, typeName } from './record-data.js';

export interface Access {
  client: UpdateClient;
  context: ProviderContext;
  keyName: string;
}

/** A record with its bytes: prerequisites and deletions must repeat them exactly (a TXT may be cut anywhere). */
export interface TransferredRecord extends LiveRecord {
  raw: Buffer;
}

/** What the server makes itself when it signs the zone; no content, and too much to show. */
const signatureTypes = new Set(['RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'TYPE65534']);
const serverTypes = new Set(['SOA', 'DNSKEY', 'CDS', 'CDNSKEY']);

/** Updates stay well below the 64 KiB of a message. */
const maxUpdateBytes = 48_000;

async function read<T>({ context }: Access, doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await retryRead(context, run, (error) =>
      error instanceof DnsFailure && error.kind === 'transient' ? { reason: error.message } : undefined,
    );
  } catch (error) {
    if (context.signal.aborted) throw cancelled(error);
    if (!(error instanceof DnsFailure)) throw error;
    const refused = error.kind === 'token';
    throw new SetupError({
      code: refused ? 'E_DNS_TOKEN' : 'E_DNS_UNREACHABLE',
      exit: refused ? Exit.usage : Exit.failed,
      what: refused
        ? `The name server did not accept the TSIG key: it could not ${doing}.`
        : `The name server could not ${doing}.`,
      evidence: [error.message],
      fix: refused
        ? ['Check key name, algorithm and secret against the server, and both clocks.']
        : ['Check the address, and that TCP port 53 is reachable from here.'],
      cause: error,
    });
  }
}

/** Any signed answer proves the key, whatever it says about the root; some servers refuse that unsigned. */
export async function verifyKey(access: Access): Promise<{ detail: string }> {
  const { signature } = await read(access, 'verify the key', () => access.client.query('', 'SOA'));
  return {
    detail: signature
      ? `the TSIG key ${access.keyName} is accepted`
      : `the server answers; the TSIG key ${access.keyName} is tried when the zone is looked up`,
  };
}

/** R1: the longest suffix for which the server is authoritative. */
export async function findZone(access: Access, name: string): Promise<Zone | null> {
  for (const candidate of ancestorsWithin(canonicalName(name), '')) {
    const ask = (type: string) =>
      read(access, `look up the zone ${candidate}`, () => access.client.query(candidate, type));
    const soa = await ask('SOA');
    const isApex = soa.answers.some((record) => record.name === candidate && record.type === typeCodes.SOA);
    if (soa.rcode !== 0 || !soa.authoritative || !isApex) continue;
    const servers = (await ask('NS')).answers.flatMap(({ name: owner, data }) =>
      owner === candidate && data.type === 'NS' ? [data.target] : [],
    );
    return { id: candidate, name: candidate, nameServers: servers, state: 'active' };
  }
  return null;
}

/** The whole zone by transfer (RFC 5936); there is no other way to be sure that nothing is missing. */
export async function listZone(access: Access, zone: Zone): Promise<TransferredRecord[]> {
  const records = await read(access, `transfer the zone ${zone.name}`, async () => {
    try {
      return await access.client.transfer(zone.name);
    } catch (error) {
      // BIND refuses, Knot says BADKEY: the key is good when a question signed with it is answered.
      const refused = error instanceof DnsFailure && error.kind === 'token';
      if (refused && (await access.client.query(zone.name, 'SOA')).signature) {
        throw transferRefused(access, zone, error);
      }
      throw error;
    }
  });
  return records.flatMap(({ name, type, ttl, data, raw }): TransferredRecord[] => {
    const shown = typeName(type);
    if (signatureTypes.has(shown)) return [];
    return [{ name, ttl, data, raw, ...(serverTypes.has(shown) ? { readOnly: true } : {}) }];
  });
}

function transferRefused({ keyName }: Access, zone: Zone, cause: Error): SetupError {
  return new SetupError({
    code: 'E_DNS_TRANSFER',
    exit: Exit.usage,
    what: `The name server does not let the key ${keyName} read the zone ${zone.name}.`,
    evidence: [cause.message],
    fix: [
      `BIND: allow-transfer { key "${keyName}"; }; in the zone, beside update-policy or allow-update.`,
      'Knot: action: [transfer, update] in the acl of the zone.',
    ],
    cause,
  });
}

/**
 * One update message is one transaction. Its prerequisites say what was read (RFC 2136 section 2.4), so that a change by
 * someone else in between makes it fail instead of being overwritten.
 */
export function createWriter(access: Access, audit: DnsProvider['audit']): ZoneWriter {
  return {
    context: access.context,
    audit,
    list: (zone) => listZone(access, zone),
    classify: (error) => {
      if (!(error instanceof DnsFailure)) throw error;
      return { kind: error.kind, text: error.message };
    },
    toUnits: (zone, needed, live) =>
      packEdits(editRrsets(needed, live)).map(
        (edits): WriteUnit => ({
          needed: edits.flatMap((edit) => edit.needed),
          run: async () => {
            await access.client.update(
              zone.name,
              edits.flatMap((edit) => edit.prerequisites),
              edits.flatMap((edit) => edit.changes),
            );
            return edits.flatMap(recordsAfter);
          },
        }),
      ),
  };
}

interface WireEdit extends RrsetEdit {
  prerequisites: WireRecord[];
  changes: WireRecord[];
}

function packEdits(edits: readonly RrsetEdit[]): WireEdit[][] {
  const units: WireEdit[][] = [];
  let room = 0;
  for (const edit of edits) {
    const wire = toWire(edit);
    const size = [...wire.prerequisites, ...wire.changes].reduce(
      (sum, { name, data }) => sum + name.length + data.length + 12,
      0,
    );
    if (units.length === 0 || size > room) {
      units.push([]);
      room = maxUpdateBytes;
    }
    units.at(-1)?.push(wire);
    room -= size;
  }
  return units;
}

const rawOf = (record: LiveRecord): Buffer =>
  'raw' in record && Buffer.isBuffer(record.raw) ? record.raw : encodeData(record.data);

const codeOf = (data: RecordData): number => typeCodes[data.type === 'OTHER' ? data.rrtype : data.type] ?? 0;

function toWire(edit: RrsetEdit): WireEdit {
  const { name, before, after, ttl } = edit;
  const type = typeCodes[edit.type] ?? 0;
  const empty = Buffer.alloc(0);
  const absent = (absentType: number): WireRecord => ({
    name,
    type: absentType,
    class: classes.NONE,
    ttl: 0,
    data: empty,
  });
  const record = (member: LiveRecord, recordClass: number, recordTtl: number): WireRecord => ({
    name,
    type: codeOf(member.data),
    class: recordClass,
    ttl: recordTtl,
    data: rawOf(member),
  });
  const prerequisites = before.map((member) => record(member, classes.IN, 0));
  if (before.length === 0) {
    // Section 3.4.2.2: a CNAME beside other data, and the reverse, are ignored in silence, so they are excluded first.
    const alias = typeCodes.CNAME ?? 0;
    prerequisites.push(...(type === alias ? [absent(typeCodes.ANY ?? 0)] : [absent(type), absent(alias)]));
  }
  const had = new Set(before.map((member) => rawOf(member).toString('hex')));
  const stays = new Set(after.map((member) => rawOf(member).toString('hex')));
  const retimed = before.some((member) => member.ttl !== ttl);
  // Another TTL for a value that stands there is ignored by some servers (Knot), so the set goes and comes anew.
  const removed = before.filter((member) => retimed || !stays.has(rawOf(member).toString('hex')));
  const added = after.filter((member) => retimed || !had.has(rawOf(member).toString('hex')));
  return {
    ...edit,
    prerequisites,
    changes: [
      ...removed.map((member) => record(member, classes.NONE, 0)),
      ...added.map((member) => record(member, classes.IN, ttl)),
    ],
  };
}
