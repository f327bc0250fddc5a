import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { describeMissingCredentials, readCredentials, secretsOf } from '../../../src/config/credentials.js';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { rfc2136 } from '../../../src/dns/providers/rfc2136.js';
import { route53 } from '../../../src/dns/providers/route53.js';

const directory = mkdtempSync(join(tmpdir(), 'smtp-setup-credentials-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = join(directory, 'credentials');
writeFileSync(
  file,
  [
    '[default]',
    'aws_access_key_id = AKIADEFAULTDEFAULT00',
    'aws_secret_access_key = of-the-default-profile',
    '# [mail]',
    '[ mail ]',
    'AWS_ACCESS_KEY_ID=AKIAMAILMAILMAIL0000',
    'aws_secret_access_key = of/the+mail/profile=',
    'region = eu-central-1',
    '[temporary]\r',
    'aws_access_key_id = ASIATEMPORARY0000000\r',
    'aws_secret_access_key = of-the-temporary-profile\r',
    'aws_session_token = its-token\r',
    '[role]',
    'role_arn = arn:aws:iam::123456789012:role/mail',
    'source_profile = default',
  ].join('\n'),
);

async function read(env: Record<string, string>) {
  const credentials = { AWS_SHARED_CREDENTIALS_FILE: file, ...env };
  const { given, missing } = await readCredentials(route53, credentials, openGivenFiles(new PassThrough()));
  const shown = Object.fromEntries(Object.entries(given).map(([key, secret]) => [key, secret.reveal()]));
  return { given: shown, missing: missing.map(({ key }) => key) };
}

describe('credentials for Route 53', () => {
  it.each([
    ['mail', { accessKeyId: 'AKIAMAILMAILMAIL0000', secretAccessKey: 'of/the+mail/profile=' }],
    [
      'temporary',
      {
        accessKeyId: 'ASIATEMPORARY0000000',
        secretAccessKey: 'of-the-temporary-profile',
        sessionToken: 'its-token',
      },
    ],
  ])('come from the profile %s that AWS_PROFILE names', async (AWS_PROFILE, given) => {
    expect(await read({ AWS_PROFILE })).toEqual({ given, missing: [] });
  });

  it.each<Record<string, string>>([
    {},
    { AWS_PROFILE: '' },
    { AWS_PROFILE: 'role' },
    { AWS_PROFILE: 'nobody' },
    { AWS_PROFILE: 'mail', AWS_SHARED_CREDENTIALS_FILE: join(directory, 'absent') },
  ])('are missing with %j, and never those of the default profile', async (env) => {
    expect(await read(env)).toEqual({ given: {}, missing: ['accessKeyId', 'secretAccessKey'] });
  });

  it('go before a profile when they stand in the environment, and are not mixed with its own', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIAENVIRONMENT00000', AWS_SECRET_ACCESS_KEY: 'of-the-environment' };
    expect((await read({ ...keys, AWS_PROFILE: 'mail' })).given).toEqual({
      accessKeyId: 'AKIAENVIRONMENT00000',
      secretAccessKey: 'of-the-environment',
    });
    const stale = { AWS_SESSION_TOKEN: 'stale', AWS_SECRET_ACCESS_KEY: 'stale', AWS_HOSTED_ZONE_ID: 'Z1' };
    expect((await read({ ...stale, AWS_PROFILE: 'mail' })).given).toEqual({
      accessKeyId: 'AKIAMAILMAILMAIL0000',
      secretAccessKey: 'of/the+mail/profile=',
      hostedZoneId: 'Z1',
    });
  });

  it('name the profile among the ways to give them', async () => {
    const { missing } = await readCredentials(route53, {}, openGivenFiles(new PassThrough()));
    expect(describeMissingCredentials(route53, missing)[0]?.ways).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_ACCESS_KEY_ID_FILE',
      'AWS_PROFILE (a profile that holds access keys)',
    ]);
  });
});

describe('secretsOf', () => {
  it('leaves the address of a name server and the name of a key readable in every report', async () => {
    const env = {
      RFC2136_NAMESERVER: 'mail.example.test',
      RFC2136_TSIG_KEY: 'mail.',
      RFC2136_TSIG_ALGORITHM: 'hmac-sha256',
      RFC2136_TSIG_SECRET: 'c2VjcmV0IG9mIHRoZSBrZXk=',
    };
    const { given } = await readCredentials(rfc2136, env, openGivenFiles(new PassThrough()));
    expect(Object.keys(given)).toHaveLength(4);
    expect(secretsOf(rfc2136, given).map((secret) => secret.reveal())).toEqual([env.RFC2136_TSIG_SECRET]);
  });
});
