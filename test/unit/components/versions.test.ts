import { describe, expect, test } from 'vitest';
import { postfixFeatures } from '../../../src/components/postfix-features.js';
import { atLeast } from '../../../src/components/version.js';

describe('atLeast', () => {
  test.each([
    ['3.10.6', '3.9', true],
    ['3.9', '3.10', false],
    ['2.4.1+dfsg1', '2.4', true],
    ['2.3.21', '2.4', false],
    ['24.04', '24.04', true],
    ['3.7', '3.7.1', false],
    ['', '1', false],
  ])('%s is at least %s: %s', (version, wanted, result) => {
    expect(atLeast(version, wanted)).toBe(result);
  });
});

describe('what a Postfix version knows', () => {
  const of = (postfix: string, id: 'debian' | 'ubuntu' = 'debian') =>
    postfixFeatures({
      os: { id, version: '', codename: '' },
      versions: { postfix, dovecot: '', rspamd: '', unbound: '', postsrsd: '' },
    });

  test.each([
    ['3.6.4', 'debian', ''],
    ['3.6.4', 'ubuntu', 'normalize'],
    ['3.6.13', 'debian', 'yes'],
    ['3.6.14', 'debian', 'normalize'],
    ['3.7.8', 'debian', ''],
    ['3.7.9', 'debian', 'yes'],
    ['3.7.11', 'debian', 'normalize'],
    ['3.8.3', 'ubuntu', ''],
    ['3.8.6', 'ubuntu', 'normalize'],
    ['3.9.0', 'debian', 'normalize'],
    ['3.10.13', 'debian', 'normalize'],
  ] as const)('smuggling defence of %s on %s: %s', (version, id, value) => {
    expect(of(version, id).bareNewline).toBe(value);
  });

  test('the later features come with their versions', () => {
    expect(of('3.6.9')).toMatchObject({
      forbidPipelining: false,
      strayCrLf: false,
      hideClientSession: false,
    });
    expect(of('3.7.6')).toMatchObject({ forbidPipelining: true, strayCrLf: false });
    expect(of('3.9.1')).toMatchObject({ forbidPipelining: true, strayCrLf: true, hideClientSession: false });
    expect(of('3.10.0').hideClientSession).toBe(true);
  });
});
