import { describe, expect, it } from 'vitest';
import { renderEchoProgram, startScript } from '../../../src/sandbox/receiver/echo-program.js';
import { renderMainCf, renderMasterCf } from '../../../src/sandbox/receiver/postfix-config.js';
import { makeDkimKey } from '../../../src/sandbox/receiver/prepare-receiver.js';
import { renderRspamdConf } from '../../../src/sandbox/receiver/rspamd-config.js';

const names = { domain: 'other.test', host: 'mx.other.test' };

describe('configuration of the receiver', () => {
  it('receives for its own domain, and refuses to relay', () => {
    const main = renderMainCf({ ...names, ipv6: true });
    expect(main).toContain('virtual_mailbox_domains = other.test\n');
    expect(main).toContain('smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n');
    expect(main).toContain('milter_default_action = tempfail\n');
    expect(main).toContain('inet_protocols = all\n');
    expect(renderMainCf({ ...names, ipv6: false })).toContain('inet_protocols = ipv4\n');
  });

  it('runs no service in a chroot', () => {
    const rows = renderMasterCf()
      .split('\n')
      .filter((line) => /^\w/.test(line));
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) expect(row.split(/\s+/)[4], row).toBe('n');
  });

  it('carries its own names and no names of another receiver', () => {
    const texts = [
      renderMainCf({ ...names, ipv6: true }),
      renderRspamdConf(names),
      renderEchoProgram('other.test'),
    ];
    for (const text of texts) {
      expect(text).toContain('other.test');
      expect(text).not.toContain('receiver.test');
      expect(text).not.toContain('undefined');
    }
    expect(startScript.startsWith('#!/bin/sh\n')).toBe(true);
  });

  it('makes a 2048-bit key in the form of a DKIM record', () => {
    const key = makeDkimKey();
    expect(key.privatePem).toContain('BEGIN PRIVATE KEY');
    expect(Buffer.from(key.publicBase64, 'base64')).toHaveLength(294);
  });
});
