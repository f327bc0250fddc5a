import { describe, expect, test } from 'vitest';
import { mergeLocalMain, relayLocks } from '../../../src/components/local-additions.js';

const ours = `# ours
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks,
    reject_unauth_destination
message_size_limit = 50

# comment
virtual_mailbox_domains = a.org,
    b.org
mydestination =
`;

describe("the user's own main.cf settings", () => {
  test('nothing to add changes nothing', () => {
    expect(mergeLocalMain(ours, '')).toBe(ours);
    expect(mergeLocalMain(ours, '# only a comment\n\n')).toBe(ours);
  });

  test('replace ours of the same name, so that none is written twice', () => {
    const merged = mergeLocalMain(ours, 'message_size_limit = 100\nvirtual_mailbox_domains = c.org\n');
    expect(merged.match(/^message_size_limit/gm)).toHaveLength(1);
    expect(merged).toContain('\nmessage_size_limit = 100\n');
    expect(merged).toContain('# virtual_mailbox_domains: see the end\n');
    expect(merged).not.toContain('b.org');
  });

  test('keep their continuation lines and come last', () => {
    const merged = mergeLocalMain(ours, 'new_setting = a,\n  b\n\tc\n');
    expect(merged.endsWith('new_setting = a,\n  b\n\tc\n')).toBe(true);
  });

  test.each(relayLocks)('cannot change %s', (name) => {
    const merged = mergeLocalMain(ours, `${name} = permit\n`);
    expect(merged).not.toMatch(new RegExp(`^${name} = permit$`, 'm'));
    expect(merged).toContain(`# Left out: ${name} (a relay lock)`);
  });

  test('a lock on a continuation line stays a lock', () => {
    const merged = mergeLocalMain(ours, 'mynetworks =\n  0.0.0.0/0\n');
    expect(merged).not.toContain('0.0.0.0/0');
    expect(merged).toContain('mynetworks = 127.0.0.0/8');
  });

  test('a line that is no setting is named and left out', () => {
    const merged = mergeLocalMain(ours, 'what is this\u001b[31m\nmessage_size_limit = 7\n');
    expect(merged).toContain('# Left out: a line that is no setting: what is this?[31m');
    expect(merged).toContain('message_size_limit = 7');
  });

  test('a line that continues nothing cannot continue one of ours', () => {
    const merged = mergeLocalMain(ours, '  , permit\nmessage_size_limit = 7\n');
    expect(merged).toContain('# Left out: a line that is no setting:');
    expect(merged).not.toMatch(/^\s+, permit/m);
  });
});
