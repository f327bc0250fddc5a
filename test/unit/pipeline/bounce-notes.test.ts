import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse.js';
import type { DnsRecord } from '../../../src/dns/record.js';
import { bounceNotes } from '../../../src/pipeline/bounce-notes.js';

const host = 'mail.example.org';
const yaml = (mail: string) =>
  `version: 1\nservers:\n  ${host}:\n    ssh: root@${host}\ndomains:\n  example.org:\n    dns: cloudflare\n    mail: ${mail}\n`;
const mx = (exchange: string): DnsRecord => ({
  name: 'example.org',
  ttl: 300,
  data: { type: 'MX', preference: 10, exchange },
});
const notes = (mail: string, live: DnsRecord[], aliases: { address: string; targets: string[] }[] = []) =>
  bounceNotes(parseConfig(yaml(mail), 'smtp-setup.yaml').config, host, live, { aliases }).map(
    ({ detail }) => detail[0],
  );

describe('bounces of a domain that only sends', () => {
  it('come to nobody without an MX, and with a null MX', () => {
    for (const live of [[], [mx('')]])
      expect(notes('send-only', live)).toEqual(['smtp-setup alias add @example.org YOU@ELSEWHERE']);
  });

  it('go where its mail goes, or where an alias leads', () => {
    expect(notes('send-only', [mx('mx.elsewhere.test')])).toEqual([]);
    expect(notes('send-only', [], [{ address: '@example.org', targets: ['ada@elsewhere.test'] }])).toEqual(
      [],
    );
    expect(notes('full', [])).toEqual([]);
  });
});
