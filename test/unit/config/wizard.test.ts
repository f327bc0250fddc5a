import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { collectAnswers } from '../../../src/config/answers.js';
import {
  askCredentials,
  describeMissingCredentials,
  readCredentials,
} from '../../../src/config/credentials.js';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { noInputAsker } from '../../../src/config/no-input-asker.js';
import type { QuestionKey } from '../../../src/config/questions.js';
import { completeAnswers } from '../../../src/config/wizard.js';
import { Exit } from '../../../src/errors.js';
import { enter, scriptAnswers } from '../../helpers/scripted-asker.js';

const keys: readonly QuestionKey[] = ['ssh', 'domain', 'hostname', 'dns', 'mailbox'];
const provider = {
  id: 'cloudflare',
  title: 'Cloudflare',
  credentials: [{ key: 'token', label: 'API token', secret: true, env: ['CLOUDFLARE_API_TOKEN'] }],
  tokenUrl: 'https://dash.example/tokens',
  rights: 'Zone:Read and DNS:Edit',
};

describe('completeAnswers at a terminal', () => {
  it('asks only what is not known, in order, with suggestions on Enter', async () => {
    const asker = scriptAnswers([
      ['domain', 'Example.org'],
      ['hostname', enter],
      ['dns', enter],
      ['mailbox', 'ada@example.org'],
    ]);
    const given = collectAnswers({ flags: { ssh: 'root@h' }, env: {} });
    const answers = await completeAnswers(asker, keys, given, {
      serverHostname: 'smtp.example.org',
      recognisedDns: 'cloudflare',
    });
    asker.finish();
    expect(answers.ssh).toEqual(given.ssh);
    expect(answers.domain).toEqual({ value: 'example.org', origin: { from: 'answer' } });
    expect(answers.hostname).toEqual({ value: 'smtp.example.org', origin: { from: 'detected' } });
    expect(answers.dns?.value).toBe('cloudflare');
  });

  it('lets the DNS provider be chosen, the recognised one on Enter', async () => {
    const dnsProviders = [
      { id: 'hetzner', title: 'Hetzner' },
      { id: 'cloudflare', title: 'Cloudflare' },
    ];
    const known = { recognisedDns: 'cloudflare', dnsProviders };
    const ask = (answer: string | typeof enter) =>
      completeAnswers(scriptAnswers([['dns', answer]]), ['dns'], {}, known);
    expect((await ask(enter)).dns).toEqual({ value: 'cloudflare', origin: { from: 'detected' } });
    expect((await ask('hetzner')).dns).toEqual({ value: 'hetzner', origin: { from: 'answer' } });
    await expect(ask('elsewhere')).rejects.toThrow('no choice "elsewhere"');
  });

  it.each([
    [[['domain', 'not a domain']], /refused: /],
    [
      [
        ['domain', 'example.org'],
        ['hostname', 'example.org'],
      ],
      /name of its own/,
    ],
  ])('does not let a wrong answer through: %j', async (script, reason) => {
    const asker = scriptAnswers(script as [string, string][]);
    const given = collectAnswers({ flags: { ssh: 'root@h' }, env: {} });
    await expect(completeAnswers(asker, keys, given, {})).rejects.toThrow(reason);
  });
});

it('offers at a terminal what it would not take by itself', async () => {
  const given = collectAnswers({ flags: {}, env: {} });
  const asker = scriptAnswers([['dns', enter]]);
  const offered = await completeAnswers(asker, ['dns'], given, { offeredDns: 'manual' });
  expect(offered.dns?.value).toBe('manual');
  const nobody = completeAnswers(noInputAsker, ['dns'], given, { offeredDns: 'manual' });
  await expect(nobody).rejects.toMatchObject({ code: 'E_MISSING' });
});

describe('without a terminal', () => {
  it('lists everything that is missing in one message', async () => {
    const { missing } = await readCredentials(provider, {}, openGivenFiles(new PassThrough()));
    const error = await completeAnswers(
      noInputAsker,
      keys,
      {},
      {},
      describeMissingCredentials(provider, missing),
    ).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_MISSING', exit: Exit.usage });
    const evidence = (error as { evidence: string[] }).evidence;
    expect(evidence.map((line) => line.split(':')[0])).toEqual([
      '--ssh [USER@]HOST[',
      '--domain DOMAIN or SMTP_SETUP_DOMAIN',
      '--hostname NAME or SMTP_SETUP_HOSTNAME',
      '--dns PROVIDER or SMTP_SETUP_DNS',
      '--mailbox ADDRESS or SMTP_SETUP_MAILBOX',
      'CLOUDFLARE_API_TOKEN or CLOUDFLARE_API_TOKEN_FILE',
    ]);
  });

  it('takes suggestions instead of asking', async () => {
    const given = collectAnswers({
      flags: { ssh: 'root@h', domain: 'example.org', mailbox: 'a@example.org' },
      env: {},
    });
    const answers = await completeAnswers(noInputAsker, keys, given, { recognisedDns: 'cloudflare' });
    expect(answers.hostname).toEqual({ value: 'mail.example.org', origin: { from: 'detected' } });
  });

  it('fails when only a credential is missing, too', async () => {
    const also = describeMissingCredentials(provider, provider.credentials);
    await expect(completeAnswers(noInputAsker, [], {}, {}, also)).rejects.toMatchObject({
      code: 'E_MISSING',
    });
  });

  it('answers any question with the flag to give', async () => {
    await expect(
      noInputAsker.confirm({ key: 'apply', message: 'Apply?', default: true, flag: '--yes' }),
    ).rejects.toMatchObject({
      code: 'E_NO_TERMINAL',
      exit: Exit.usage,
      fix: ['Give --yes to answer it beforehand.'],
    });
    await expect(noInputAsker.text({ key: 'x', message: 'X?' })).rejects.toMatchObject({
      code: 'E_NO_TERMINAL',
    });
    await expect(noInputAsker.secret({ key: 'x', message: 'X?' })).rejects.toMatchObject({
      code: 'E_NO_TERMINAL',
    });
    await expect(noInputAsker.choose({ key: 'x', message: 'X?', choices: [] })).rejects.toMatchObject({
      exit: 2,
    });
  });
});

describe('credentials', () => {
  it('come from the environment', async () => {
    const { given, missing } = await readCredentials(
      provider,
      { CLOUDFLARE_API_TOKEN: 'T' },
      openGivenFiles(new PassThrough()),
    );
    expect(given.token?.reveal()).toBe('T');
    expect(missing).toEqual([]);
  });

  it('are asked for, and tried out at once', async () => {
    const asker = scriptAnswers([['credential.token', ' good ']]);
    const tried: (string | undefined)[] = [];
    const credentials = await askCredentials(asker, provider, {}, provider.credentials, async ({ token }) => {
      tried.push(token?.reveal());
      return true;
    });
    expect(credentials.token?.reveal()).toBe('good');
    expect(tried).toEqual(['good']);
  });

  it('are named with their variables when there is nobody to ask', async () => {
    await expect(
      askCredentials(noInputAsker, provider, {}, provider.credentials, async () => true),
    ).rejects.toMatchObject({
      code: 'E_MISSING',
      exit: Exit.usage,
      evidence: [expect.stringContaining('CLOUDFLARE_API_TOKEN or CLOUDFLARE_API_TOKEN_FILE')],
    });
  });

  it.each([
    ['bad', 'The token does not work.', /does not work/],
    ['', true as const, /needed/],
  ])('are not accepted when %j', async (token, verdict, reason) => {
    const asker = scriptAnswers([['credential.token', token]]);
    await expect(
      askCredentials(asker, provider, {}, provider.credentials, async () => verdict),
    ).rejects.toThrow(reason);
  });
});
