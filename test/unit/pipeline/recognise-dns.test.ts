import { expect, it } from 'vitest';
import { noInputAsker } from '../../../src/config/no-input-asker.js';
import { completeAnswers } from '../../../src/config/wizard.js';
import type { Answer, AnswerStatus, Resolver } from '../../../src/dns/resolver/index.js';
import { recogniseDns } from '../../../src/pipeline/recognise-dns.js';

/** Answers by name: name servers, or how it ends. */
function resolver(answers: Readonly<Record<string, readonly string[] | AnswerStatus>>): Resolver {
  return {
    async resolve(name, type): Promise<Answer> {
      const said = answers[name] ?? 'nxdomain';
      const common = {
        name,
        type,
        chain: [],
        ad: false,
        via: 'resolver 127.0.0.1',
        level: 'recursive' as const,
      };
      if (typeof said === 'string')
        return {
          ...common,
          status: said,
          records: [],
          ...(said === 'timeout' ? { detail: 'no reply' } : {}),
        };
      const records = said.map((target) => ({ name, ttl: 60, data: { type: 'NS' as const, target } }));
      return { ...common, status: 'ok', records };
    },
  };
}

/** What the message about missing answers says of the provider. */
async function ask(answers: Parameters<typeof resolver>[0], domain = 'example.org') {
  const found = await recogniseDns(resolver(answers), domain);
  const refused = completeAnswers(noInputAsker, ['dns'], {}, found);
  const evidence = await refused.then(
    () => [],
    (error: { evidence: string[] }) => error.evidence,
  );
  return { found, said: evidence.join('\n') };
}

it('says why no provider was recognised', async () => {
  const dead = await ask({ 'example.org': 'timeout' });
  expect(dead.said).toContain('; the resolver 127.0.0.1 gave no answer about example.org (no reply)');
  expect(dead.found.dnsNote).toContain('could not be found out');
  const typo = await ask({}, 'mail.exmaple.org');
  expect(typo.said).toContain('; exmaple.org does not exist in DNS, says the resolver 127.0.0.1');
  const own = await ask({ 'example.org': ['ns1.example.net', 'ns2.example.net'] });
  expect(own.said).toMatch(
    /; its name servers \(ns1\.example\.net, ns2\.example\.net\) belong to no provider/,
  );
});

it('recognises the provider of the zone above; a name of it that was silent does not matter then', async () => {
  const servers = ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'];
  const { found, said } = await ask(
    { 'sub.example.org': 'servfail', 'example.org': servers },
    'sub.example.org',
  );
  expect(found).toEqual({ recognisedDns: 'cloudflare' });
  expect(said).toBe('');
});
