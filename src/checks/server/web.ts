import { isStsRecord, parseStsPolicy } from '../../dns/parse/mta-sts.js';
import { type Answer, isUnknown } from '../../dns/resolver/types.js';
import type { PinnedResponse } from '../pinned-fetch.js';
import type { Outcome, ServerCheck, ServerTarget } from './server-check.js';

const webLabels = ['autoconfig', 'autodiscover', 'mta-sts'] as const;
const timeoutMs = 10_000;
const maxBytes = 65_536;

/** Where a name of ours is published, what it is published for must be served: by this server, with a good certificate. */
export const autoconfigServed: ServerCheck = {
  id: 'WEB-AUTOCONFIG',
  title: 'Mail programs get their settings',
  needs: ['resolver', 'fetch'],
  ref: 'Mozilla autoconfiguration',
  run: (target, address) =>
    eachDomain(target, async (domain) => {
      const host = `autoconfig.${domain}`;
      const elsewhere = await whyNotHere(target, host, address);
      if (elsewhere) return [elsewhere];
      const path = '/mail/config-v1.1.xml';
      const response = await get(target, `https://${host}${path}?emailaddress=probe@${domain}`, address);
      const subject = `https://${host}${path} at ${address}`;
      const broken = judgeResponse(response, subject, target);
      if (broken) return [broken];
      const text = response.ok ? response.body : '';
      const missing = [
        ...(text.includes(`<hostname>${target.hostname}</hostname>`) ? [] : [target.hostname]),
        ...(text.includes('<clientConfig') ? [] : ['<clientConfig>']),
        ...['993', '465']
          .filter((port) => !text.includes(`<port>${port}</port>`))
          .map((port) => `port ${port}`),
      ];
      if (missing.length === 0) return [{ status: 'pass', subject, message: 'The settings are served.' }];
      return [
        {
          status: 'fail',
          subject,
          message: 'The settings that mail programs get are not those of this server.',
          expected: missing.join(', '),
          observed: text.slice(0, 200),
          fix: 'Run smtp-setup apply: it writes the settings again.',
        },
      ];
    }),
};

export const autodiscoverServed: ServerCheck = {
  id: 'WEB-AUTODISCOVER',
  title: 'Outlook gets its settings',
  needs: ['resolver', 'fetch'],
  ref: 'Microsoft Autodiscover (POX)',
  run: (target, address) =>
    eachDomain(target, async (domain) => {
      const host = `autodiscover.${domain}`;
      const elsewhere = await whyNotHere(target, host, address);
      if (elsewhere) return [elsewhere];
      const path = '/Autodiscover/Autodiscover.xml';
      const response = await get(target, `https://${host}${path}?emailaddress=probe@${domain}`, address);
      const subject = `https://${host}${path} at ${address}`;
      const broken = judgeResponse(response, subject, target);
      if (broken) return [broken];
      const text = response.ok ? response.body : '';
      const wanted = [
        `<Server>${target.hostname}</Server>`,
        `<LoginName>probe@${domain}</LoginName>`,
        '<Port>993</Port>',
        '<Port>465</Port>',
      ];
      const missing = wanted.filter((part) => !text.includes(part));
      if (missing.length === 0) return [{ status: 'pass', subject, message: 'The settings are served.' }];
      return [
        {
          status: 'fail',
          subject,
          message: 'The settings that Outlook gets are not those of this server.',
          expected: missing.join(', '),
          observed: text.slice(0, 200),
          fix: 'Run smtp-setup apply: it writes the settings again.',
        },
      ];
    }),
};

/** Names, chain and remaining life of what is shown for each web name that leads here. */
export const webCertificate: ServerCheck = {
  id: 'WEB-CERT',
  title: 'The certificate of the web names is valid',
  needs: ['resolver', 'fetch'],
  ref: 'RFC 8461 section 3.3',
  run: (target, address) =>
    eachDomain(target, async (domain) => {
      const outcomes = await Promise.all(
        webLabels.map(async (label): Promise<Outcome[]> => {
          const host = `${label}.${domain}`;
          // What leads elsewhere, or cannot be found out, is said by the checks of what is served there.
          if (await whyNotHere(target, host, address)) return [];
          return [
            judgeCertificate(await get(target, `https://${host}/`, address), `${host} at ${address}`, target),
          ];
        }),
      );
      return outcomes.flat();
    }),
};

/** Life is judged by thirds, as on the mail ports. */
function judgeCertificate(response: PinnedResponse, subject: string, target: ServerTarget): Outcome {
  if (!response.ok || response.certificate === undefined) {
    const broken = judgeResponse(response, subject, target);
    return broken ?? { status: 'unknown', subject, message: 'No certificate was seen.' };
  }
  const { validFrom, validTo } = response.certificate;
  const days = Math.floor((validTo - target.now) / 86_400_000);
  const observed = `${days} days left`;
  if (validTo - target.now >= (validTo - validFrom) / 3)
    return { status: 'pass', subject, message: 'The certificate verifies.', observed };
  return {
    status: 'warn',
    subject,
    message: 'Less than a third of the certificate’s life is left: renewal does not work.',
    observed,
    fix: 'On the server: systemctl status certbot.timer and certbot renew --dry-run.',
  };
}

/** What the MTA-STS record waits for (R16): looked for at the address, whatever DNS shows yet. */
export function policyServed(domain: string): ServerCheck {
  return {
    id: 'WEB-MTA-STS',
    title: 'The MTA-STS policy is served and names this server',
    needs: ['fetch'],
    ref: 'RFC 8461 section 3.3',
    run: (target, address) => lookAtPolicy(target, domain, address),
  };
}

export const stsServed: ServerCheck = {
  id: 'WEB-MTA-STS',
  title: 'The MTA-STS policy is served and names this server',
  needs: ['resolver', 'fetch'],
  ref: 'RFC 8461 section 3.3',
  run: (target, address) =>
    eachDomain(target, async (domain) => {
      const host = `mta-sts.${domain}`;
      const name = `_mta-sts.${domain}`;
      const record = await target.resolver?.resolve(name, 'TXT');
      if (record !== undefined && isUnknown(record.status)) return [notFoundOut(name, record)];
      const texts = record?.records.flatMap(({ data }) => (data.type === 'TXT' ? [data.text] : [])) ?? [];
      if (!texts.some(isStsRecord)) {
        return [{ status: 'info', subject: name, message: 'No policy is announced, so none is asked for.' }];
      }
      const elsewhere = await whyNotHere(target, host, address);
      if (elsewhere) return [elsewhere];
      return lookAtPolicy(target, domain, address);
    }),
};

async function lookAtPolicy(target: ServerTarget, domain: string, address: string): Promise<Outcome[]> {
  const url = `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
  const subject = `${url} at ${address}`;
  const response = await get(target, url, address);
  const broken = judgeResponse(response, subject, target);
  if (broken) return [broken];
  const parsed = response.ok ? parseStsPolicy(response.body) : undefined;
  if (!parsed?.ok) {
    return [
      {
        status: 'fail',
        subject,
        message: 'What is served is no policy.',
        ...(response.ok ? { observed: response.body.slice(0, 200) } : {}),
        fix: 'Run smtp-setup apply: it writes the policy again.',
      },
    ];
  }
  const { mode, mx } = parsed.policy;
  const named = mx.some(
    (pattern) =>
      pattern === target.hostname ||
      (pattern.startsWith('*.') && target.hostname.replace(/^[^.]+/, '*') === pattern),
  );
  if (named || mode === 'none') {
    return [{ status: 'pass', subject, message: `The policy is served (mode ${mode}).` }];
  }
  return [
    {
      status: 'fail',
      subject,
      message: 'The policy does not name this server: senders that heed it deliver nothing here.',
      expected: `mx: ${target.hostname}`,
      observed: mx.join(', ').slice(0, 200),
      fix: 'Run smtp-setup apply: it writes the policy again.',
    },
  ];
}

async function eachDomain(
  target: ServerTarget,
  run: (domain: string) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  return (await Promise.all(target.domains.map(run))).flat();
}

/** Names that lead elsewhere, or nowhere, are somebody else's page: that was not looked at, and must not pass. */
async function whyNotHere(
  { resolver }: ServerTarget,
  host: string,
  address: string,
): Promise<Outcome | undefined> {
  const answer = await resolver?.resolve(host, address.includes(':') ? 'AAAA' : 'A');
  if (answer === undefined || isUnknown(answer.status)) return notFoundOut(host, answer);
  const leadsHere = answer.records.some(
    ({ data }) => (data.type === 'A' || data.type === 'AAAA') && data.address === address,
  );
  if (leadsHere) return undefined;
  return {
    status: 'info',
    subject: `${host} at ${address}`,
    message: 'The name does not lead to this address, so nothing was asked for there.',
  };
}

function notFoundOut(name: string, answer: Answer | undefined): Outcome {
  return {
    status: 'unknown',
    subject: name,
    message: 'DNS gave no usable answer, so it is not known what must be served.',
    ...(answer === undefined ? {} : { observed: answer.detail ?? answer.status }),
    fix: 'Ask again, or name another resolver (--resolver).',
  };
}

function get({ fetch }: ServerTarget, url: string, address: string): Promise<PinnedResponse> {
  if (!fetch) throw new Error('no fetch');
  return fetch({ url: new URL(url), addresses: [address], maxBytes, timeoutMs });
}

function judgeResponse(response: PinnedResponse, subject: string, target: ServerTarget): Outcome | undefined {
  const fix = 'Run smtp-setup apply, and look at the web server: systemctl status nginx.';
  if (response.ok) {
    if (response.status === 200) return undefined;
    return {
      status: 'fail',
      subject,
      message: 'The page is not there.',
      observed: `HTTP ${response.status}`,
      fix,
    };
  }
  const { reason, detail } = response;
  if (reason === 'timeout' || reason === 'network') {
    return {
      status: 'unknown',
      subject,
      message: 'The page could not be fetched from here.',
      observed: detail,
    };
  }
  if (reason === 'certificate' && target.privateCa && /issuer|self.signed certificate in/i.test(detail)) {
    return {
      status: 'info',
      subject,
      message:
        'The page was not looked at: this machine does not know the private authority of its certificate.',
      observed: detail,
    };
  }
  return {
    status: 'fail',
    subject,
    message:
      reason === 'certificate' ? 'The certificate is not good for the name.' : 'The web server refuses.',
    observed: detail,
    fix,
  };
}
