import type { Verdict } from '../check.js';
import type { DnsCheck } from './context.js';
import { readSoundKeys, shortKey } from './dkim.js';
import { fail, info, pass, warn } from './verdict.js';

const group = 'DKIM';

export const dkimSizeCheck: DnsCheck = {
  id: 'DKIM-SIZE',
  group,
  severity: 'fail',
  title: 'RSA keys have 2048 bits',
  ref: 'RFC 8301 section 3.2',
  needs: [],
  async run(ctx) {
    return (await readSoundKeys(ctx)).flatMap(({ answer, key }): Verdict[] => {
      if (key.bits === undefined) return [];
      const details = { observed: `${key.bits} bits`, expected: '2048 bits' };
      const fix = {
        text: 'Make a new key of 2048 bits under a new selector, publish it, then switch the signing to it.',
      };
      if (key.bits < 1024)
        return [fail(answer, 'The key is so short that receivers ignore it.', { ...details, fix })];
      if (key.bits < 2048) return [warn(answer, 'The key is short.', { ...details, fix })];
      if (key.bits > 2048)
        return [
          info(
            answer,
            'Longer than receivers need; some DNS providers and UDP answers have no room for it.',
            details,
          ),
        ];
      return [pass(answer, 'The key has the usual size.', details)];
    });
  },
};

export const dkimTestCheck: DnsCheck = {
  id: 'DKIM-TEST',
  group,
  severity: 'warn',
  title: 'The key is not in test mode',
  ref: 'RFC 6376 section 3.6.1',
  needs: [],
  async run(ctx) {
    return (await readSoundKeys(ctx)).map(({ answer, key }) =>
      key.testing
        ? warn(answer, 't=y tells receivers that signing is only tested; they may ignore the signature.', {
            observed: shortKey(key.text),
            fix: { text: 'Remove t=y from the record.' },
          })
        : pass(answer, 'No test mode.', { observed: shortKey(key.text) }),
    );
  },
};

export const dkimStrictCheck: DnsCheck = {
  id: 'DKIM-STRICT',
  group,
  severity: 'warn',
  title: 'The key is not restricted',
  ref: 'RFC 6376 section 3.6.1, RFC 8301 section 3.1',
  needs: [],
  async run(ctx) {
    return (await readSoundKeys(ctx)).map(({ answer, key }) => {
      const observed = shortKey(key.text);
      if (!key.services.includes('*') && !key.services.includes('email'))
        return warn(answer, `s=${key.services.join(':')} excludes mail.`, {
          observed,
          fix: { text: 'Remove s= from the record.' },
        });
      if (key.hashes && !key.hashes.includes('sha256'))
        return warn(
          answer,
          `h=${key.hashes.join(':')} excludes SHA-256, the only hash that receivers still accept.`,
          { observed, fix: { text: 'Remove h= from the record.' } },
        );
      if (key.strict)
        return info(answer, 't=s: mail from subdomains cannot be signed with this key.', { observed });
      return pass(answer, 'No restrictions.', { observed });
    });
  },
};

export const dkimEd25519Check: DnsCheck = {
  id: 'DKIM-ED25519',
  group,
  severity: 'fail',
  title: 'Ed25519 keys are well formed and not alone',
  ref: 'RFC 8463 section 4',
  needs: [],
  async run(ctx) {
    const keys = await readSoundKeys(ctx);
    const curves = keys.filter(({ key }) => key.algorithm === 'ed25519' && !key.revoked);
    const hasRsa = keys.some(({ key }) => key.algorithm === 'rsa' && key.usable);
    return curves.map(({ answer, key }) => {
      const [problem] = key.problems.filter((one) => one.kind === 'ed25519');
      const observed = shortKey(key.text);
      if (problem)
        return fail(answer, `${problem.message}.`, {
          observed,
          fix: { text: 'Publish the raw key: base64 of its 32 bytes.' },
        });
      if (!hasRsa)
        return warn(answer, 'Only an Ed25519 key: many big receivers cannot verify it.', {
          observed,
          fix: { text: 'Sign with an RSA key too, under a selector of its own.' },
        });
      return pass(answer, 'Well formed, with an RSA key beside it.', { observed });
    });
  },
};
